//! The error objects that Lambda returns instead of a reply when a function's process ends, runs
//! too long or replies with too much.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::settings::MAX_PAYLOAD;

/// Describes the end of a process in Lambda's words: `exit status 1`, `signal: killed`.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(6)) => "signal: aborted".to_owned(),
        (None, Some(9)) => "signal: killed".to_owned(),
        (None, Some(11)) => "signal: segmentation fault".to_owned(),
        (None, Some(15)) => "signal: terminated".to_owned(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".to_owned(),
    }
}

/// The error for a process that exited during an invocation.
pub(super) fn exited(request_id: &str, status: ExitStatus) -> Bytes {
    let reason = if status.success() {
        // Lambda's message for status 0.
        "Runtime exited without providing a reason".to_owned()
    } else {
        format!("Runtime exited with error: {}", describe(status))
    };
    error("Runtime.ExitError", &format!("RequestId: {request_id} Error: {reason}"))
}

/// The error for a process that used more memory than `MemorySize` and was killed.
pub(super) fn out_of_memory(request_id: &str) -> Bytes {
    let message =
        format!("RequestId: {request_id} Error: Runtime exited with error: signal: killed");
    error("Runtime.OutOfMemory", &message)
}

/// The error for a process that overran its `Timeout` and was killed.
pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Bytes {
    let message = format!(
        "RequestId: {request_id} Error: Task timed out after {:.2} seconds",
        timeout.as_secs_f64()
    );
    error("Sandbox.Timedout", &message)
}

/// The error for a reply larger than [`MAX_PAYLOAD`].
pub(super) fn reply_too_large() -> Bytes {
    let message = format!(
        "Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
    );
    error("Function.ResponseSizeTooLarge", &message)
}

fn error(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message }).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_the_message_of_lambda() {
        let payload: serde_json::Value =
            serde_json::from_slice(&timed_out("id", Duration::from_secs(3))).unwrap();
        assert_eq!(
            payload["errorMessage"],
            "RequestId: id Error: Task timed out after 3.00 seconds"
        );
    }

    #[test]
    fn the_end_of_a_process_is_described_by_status_or_signal() {
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), "exit status 3");
        assert_eq!(describe(ExitStatus::from_raw(9)), "signal: killed");
    }
}
