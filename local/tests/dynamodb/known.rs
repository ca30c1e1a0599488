//! The known differences between the local cloud and DynamoDB Local, with reasons.

/// Calls whose answers differ for one reason.
struct Known {
    reason: &'static str,
    /// Kind and name of each call.
    calls: &'static [(&'static str, &'static str)],
}

const KNOWN: &[Known] = &[
    Known {
        reason: "The local cloud accepts it. CloudFormation and consoles make these calls, functions \
                 don't.",
        calls: &[
            ("table_operations", "change the view of a stream"),
            ("table_operations", "create with a stream without a view"),
            ("table_operations", "create with an unknown view"),
            ("table_operations", "disable TTL on another attribute"),
            ("table_operations", "disable TTL that was never enabled"),
            ("table_operations", "disable a stream again"),
            ("table_operations", "enable TTL again"),
            ("table_operations", "enable a stream again"),
        ],
    },
    Known {
        reason: "The local cloud writes a stream record for a write that changes nothing, unless \
                 the stream has both images to compare.",
        calls: &[("streams", "records of keys")],
    },
    Known {
        reason: "DynamoDB Local fails with InternalFailure. DynamoDB refuses the request, as the \
                 local cloud does.",
        calls: &[
            ("batches", "requests that aren't a list"),
            ("items", "put a binary that isn't base64"),
            ("items", "put with a list as item"),
            ("protocol", "a body that ends early"),
            ("protocol", "a body that is a list"),
            ("protocol", "a body that is a string"),
            ("protocol", "a body that is null"),
            ("protocol", "a body that isn't JSON"),
            ("protocol", "a key that is a list"),
            ("protocol", "a key that is a string"),
            ("protocol", "an empty body"),
            ("protocol", "no statement"),
            ("streams", "an iterator at a malformed sequence number"),
            ("table_operations", "create with an unknown billing mode"),
        ],
    },
    Known {
        reason: "DynamoDB Local fails with InternalFailure. The local cloud reads the value: dynoxide \
                 found that DynamoDB reads strings as booleans, and limits that don't fit as the \
                 largest.",
        calls: &[
            ("items", "get with a string as ConsistentRead"),
            ("scans", "a limit that is too large"),
        ],
    },
    Known {
        reason: "The local cloud accepts paths that can't both exist, and finds nothing there.",
        calls: &[("expressions", "a projection with conflicting paths")],
    },
    Known {
        reason: "DynamoDB Local accepts values of a wrong JSON type. The local cloud refuses \
                 them, as DynamoDB does.",
        calls: &[
            ("expressions", "a condition that isn't a string"),
            ("items", "get a key without types"),
            ("items", "put a number as JSON number"),
            ("items", "put a plain value"),
            ("items", "put a string as JSON number"),
            ("items", "put into a table with a number as name"),
            ("protocol", "a duplicate member"),
            ("queries", "a limit that isn't a number"),
        ],
    },
    Known {
        reason: "DynamoDB Local returns numbers as they were written. DynamoDB trims leading and \
                 trailing zeros, as the local cloud does: \
                 https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html",
        calls: &[("items", "get numbers")],
    },
    Known {
        reason: "DynamoDB Local reports a capacity that nobody asked for.",
        calls: &[
            ("conditions", "delete what doesn't exist if unequal"),
            ("items", "delete an item that doesn't exist"),
            ("streams", "delete what doesn't exist"),
        ],
    },
    Known {
        reason: "DynamoDB Local counts a transactional write of 1 KB as 4 units. It is 2: \
                 https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html",
        calls: &[("transactions", "consumed capacity")],
    },
    Known {
        reason: "DynamoDB Local has no item collection metrics.",
        calls: &[
            ("items", "put with an unknown ReturnItemCollectionMetrics"),
            ("items", "put with item collection metrics"),
        ],
    },
    Known {
        reason: "DynamoDB Local doesn't check the type of an index key in an update.",
        calls: &[
            ("transactions", "update an index key to another type"),
            ("updates", "set an index key to another type"),
        ],
    },
    Known {
        reason: "DynamoDB Local doesn't require UpdateExpression in a transaction: \
                 https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Update.html",
        calls: &[("transactions", "an update without an expression")],
    },
    Known {
        reason: "Both refuse it, DynamoDB Local before it looks for reasons per item.",
        calls: &[
            ("transactions", "an update that can't be made"),
            ("transactions", "delete with an extra key"),
            ("transactions", "get a key of another type"),
            ("transactions", "get with an extra key"),
            ("transactions", "get without the sort key"),
            ("transactions", "put without the sort key"),
        ],
    },
    Known {
        reason: "DynamoDB Local returns an empty item. DynamoDB leaves it out, says dynoxide's \
                 src/actions/transact_get_items.rs.",
        calls: &[("transactions", "get with a projection of nothing")],
    },
    Known {
        reason: "The local cloud doesn't read from the table what a local index doesn't carry.",
        calls: &[("queries", "a local index with an attribute it doesn't carry")],
    },
    Known {
        reason: "DynamoDB Local filters the scan of an index by what only the table has.",
        calls: &[("scans", "an index with a filter on what it doesn't carry")],
    },
    Known {
        reason: "The local cloud ends a page before the item that exceeds 1 MB, DynamoDB Local \
                 after it. A program has to follow LastEvaluatedKey in both.",
        calls: &[("sizes", "a page of 1 MB")],
    },
    Known {
        reason: "They count the levels of nesting and the length of a name differently by one. \
                 dynoxide's count of levels was measured on AWS, says its tests/nesting_depth.rs.",
        calls: &[("sizes", "a list 32 deep"), ("sizes", "a name of 65536")],
    },
    Known {
        reason: "DynamoDB Local has an error code of its own for PartiQL, and reads a statement \
                 before it looks for the table.",
        calls: &[
            ("protocol", "a batch of statements"),
            ("protocol", "insert again"),
            ("protocol", "select from a table that doesn't exist"),
        ],
    },
    Known {
        reason: "DynamoDB Local accepts a capacity for a table on demand, which DynamoDB refuses.",
        calls: &[("table_operations", "create on demand with provisioned capacity")],
    },
    Known {
        reason: "Two mistakes at once: each names another one first.",
        calls: &[("table_operations", "add and delete an index")],
    },
    Known {
        reason: "Only one of them has this operation.",
        calls: &[
            ("table_operations", "describe limits"),
            ("table_operations", "list tags"),
            ("table_operations", "list tags of nonsense"),
            ("table_operations", "list tags without an ARN"),
        ],
    },
];

/// Returns why the answers to a call differ, or `None` if they must not.
pub(crate) fn reason(kind: &str, call: &str) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.calls.contains(&(kind, call))).map(|known| known.reason)
}

/// Returns kind and name of every call whose answers differ.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().flat_map(|known| known.calls).copied()
}
