//! The `live-fan-out` function.

use super::audience::everyone_gets_theirs;
use crate::support::Cloud;

/// The same with every role's and category's feed pushed shard by shard.
#[tokio::test]
async fn each_type_of_entry_reaches_its_audience_when_pushed_shard_by_shard() {
    let cloud = Cloud::start("wide", &["--ephemeral", "--env", "FAN_OUT_THRESHOLD=0"]);
    everyone_gets_theirs(&cloud).await;
}
