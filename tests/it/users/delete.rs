//! `DELETE /users/{id}`.

use serde_json::{Value, json};

use super::new_user;
use crate::support::{Socket, User, admin, new_client, shared_cloud, sign_in};

#[tokio::test]
async fn a_deactivated_user_is_signed_out_keeps_username_and_e_mail_and_can_be_reactivated() {
    let cloud = shared_cloud();
    let (admin, user) = (admin(cloud).await, new_client(cloud).await);
    let path = format!("/users/{}", user.id().await);
    let (socket, _) = Socket::connect_and_hello(&user, json!({})).await;
    for _ in 0..2 {
        assert_eq!(admin.api.delete(&path).await.expect_status(204), Value::Null);
    }
    assert_eq!(admin.api.get(&path).await.expect_status(200)["status"], "deactivated");
    user.send_empty_update().await.problem(403, "account_suspended");
    socket.until_closed().await;
    sign_in(&cloud.client(), &user.username, &user.password)
        .await
        .problem(403, "account_suspended");
    let taken = admin.api.post("/users", new_user(&user.username, "client")).await.fields_taken();
    assert_eq!(taken, ["username", "email"]);
    let wrong = admin.api.patch(&path, json!({"status": "deactivated"})).await.field_errors();
    assert_eq!(wrong, [("status".to_owned(), "invalid".to_owned())]);
    admin.api.patch(&path, json!({"status": "active"})).await.expect_status(200);
    User::sign_in(cloud, &user.username, &user.password)
        .await
        .send_empty_update()
        .await
        .expect_status(200);
}
