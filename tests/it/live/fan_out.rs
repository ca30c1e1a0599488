//! The `live-fan-out` function.

use super::audience::assert_audiences;
use crate::support::Cloud;

#[tokio::test]
async fn each_type_of_entry_reaches_its_audience_when_pushed_shard_by_shard() {
    let cloud = Cloud::start("wide", &["--ephemeral", "--env", "FAN_OUT_THRESHOLD=0"]);
    assert_audiences(&cloud).await;
}
