//! `GenerateSecretString`.

use anyhow::{Result, ensure};
use ring::rand::{SecureRandom, SystemRandom};

/// Returns random characters, at least one of each class.
pub(super) fn password(length: usize, classes: &[String]) -> Result<String> {
    ensure!(
        length >= classes.len(),
        "a password of {length} characters can't have one of each of {} classes",
        classes.len()
    );
    let alphabet: Vec<char> = classes.iter().flat_map(|c| c.chars()).collect();
    let random = SystemRandom::new();
    loop {
        let mut password = String::with_capacity(length);
        while password.len() < length {
            let mut byte = [0];
            random
                .fill(&mut byte)
                .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
            // Without this check, some characters would be more likely than others.
            if usize::from(byte[0]) < 256 - 256 % alphabet.len() {
                password.push(alphabet[usize::from(byte[0]) % alphabet.len()]);
            }
        }
        if classes.iter().all(|class| class.chars().any(|c| password.contains(c))) {
            return Ok(password);
        }
    }
}
