//! Where the data is, and the tables in it.

use super::*;

#[tokio::test]
async fn data_on_disk_is_there_after_a_restart() {
    let dir = TempDir::new();
    let project = project(&[("dynamodb:*", TABLE)]);
    for count in 1..=2 {
        let db = start(&project, Storage::Directory(dir.0.clone())).await.unwrap();
        let client = testing::client(&db.endpoint_url, DEVELOPER);
        put(&client, &format!("item {count}")).await.unwrap();
        assert_eq!(client.scan().table_name("marketplace").send().await.unwrap().count(), count);
    }
}

#[tokio::test]
async fn indexes_follow_the_template_on_existing_data() {
    let dir = TempDir::new();
    let storage = Storage::Directory(dir.0.clone());
    let without = {
        let mut project = project(&[]);
        let properties = project.tables[0].properties.as_object_mut().unwrap();
        properties.remove("GlobalSecondaryIndexes");
        properties["AttributeDefinitions"].as_array_mut().unwrap().pop();
        project
    };
    drop(start(&without, storage.clone()).await.unwrap());

    let db = start(&project(&[]), storage.clone()).await.unwrap();
    let indexes = async |db: &DynamoDb| {
        let client = testing::client(&db.endpoint_url, DEVELOPER);
        let table = client.describe_table().table_name("marketplace").send().await.unwrap().table.unwrap();
        table.global_secondary_indexes().len()
    };
    assert_eq!(indexes(&db).await, 1);
    drop(db);
    assert_eq!(indexes(&start(&without, storage).await.unwrap()).await, 0);
}

#[tokio::test]
async fn data_with_other_keys_is_refused_in_one_sentence() {
    let dir = TempDir::new();
    let storage = Storage::Directory(dir.0.clone());
    drop(start(&project(&[]), storage.clone()).await.unwrap());
    let mut other = project(&[]);
    other.tables[0].properties["KeySchema"].as_array_mut().unwrap().pop();
    other.tables[0].properties["AttributeDefinitions"].as_array_mut().unwrap().remove(1);
    other.tables[0].properties["GlobalSecondaryIndexes"][0]["KeySchema"].as_array_mut().unwrap().pop();
    let error = start(&other, storage).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "table marketplace in the database has other keys than the template: remove the data directory, or start with --ephemeral"
    );
}

#[tokio::test]
async fn a_property_that_is_not_supported_is_refused_by_name() {
    let mut project = project(&[]);
    project.tables[0].properties["KinesisStreamSpecification"] = json!({"StreamArn": "arn:aws:kinesis:::stream/x"});
    let error = start(&project, Storage::Memory).await.err().unwrap();
    assert!(error.to_string().contains("KinesisStreamSpecification"), "{error}");
}

#[tokio::test]
async fn another_endpoint_gets_the_tables_and_every_key_sees_the_same_data() {
    let other = start(&Project::default(), Storage::Memory).await.unwrap();
    let url: Uri = other.endpoint_url.parse().unwrap();
    let db = start(&project(&[("dynamodb:PutItem", TABLE)]), Storage::Endpoint(url)).await.unwrap();
    put(&testing::client(&db.endpoint_url, &access_key_id("orders-create")), "A").await.unwrap();
    let seen = testing::client(&db.endpoint_url, DEVELOPER).scan().table_name("marketplace").send().await.unwrap();
    assert_eq!(seen.count(), 1);
    let denied = testing::client(&db.endpoint_url, &access_key_id("orders-create")).scan().table_name("marketplace");
    assert_eq!(code(&denied.send().await.unwrap_err()), "AccessDeniedException");
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_named() {
    let error = start(&project(&[]), Storage::Endpoint("http://127.0.0.1:1".parse().unwrap())).await.err().unwrap();
    assert!(error.to_string().contains("http://127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn aws_itself_is_used_directly() {
    let url: Uri = "https://dynamodb.eu-west-1.amazonaws.com".parse().unwrap();
    let db = start(&project(&[]), Storage::Endpoint(url)).await.unwrap();
    assert_eq!(db.streams.url, "https://streams.dynamodb.eu-west-1.amazonaws.com");
    assert_eq!((db.streams.region.as_str(), db.is_aws), ("eu-west-1", true));
    assert!(start(&project(&[]), Storage::Endpoint("https://example.com".parse().unwrap())).await.is_err());
}

#[tokio::test]
async fn expired_items_vanish_in_a_sweep() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    let item = client.put_item().table_name("marketplace").item("pk", s("A")).item("sk", s("x"));
    item.item("expires_at", AttributeValue::N("1700000000".into())).send().await.unwrap();
    put(&client, "B").await.unwrap();
    db.sweep().await;
    assert_eq!(client.scan().table_name("marketplace").send().await.unwrap().count(), 1);
}
