//! The passwords that attackers try first.
//!
//! Lists of leaked passwords are long because people vary a few words: `Passw0rd`, `password1`,
//! `Password2024!`. So this module contains the words, and recognizes the variations: letter case,
//! digits and signs before or after the word, letters written as digits, a repeated word or
//! sequence, and adjacent keys. That covers more than a list of a hundred times its size, in a few
//! kilobytes and without a network call.

/// The words that people base passwords on, in lower case and without variations.
const WORDS: &str = "
access account admin administrator airborne alexander alexandra amanda america andrea andrew angel angelina angels anthony apple arsenal asdf
asdfasdf asdfgh asdfghjkl ashley austin autumn babygirl badboy banana barcelona baseball basketball batman beautiful benjamin bigdaddy blessed
bond boomer brandon brandy brazil brooklyn bubbles buster butterfly calvin camaro canada carlos cassie changeit changeme charles charlie cheese
chelsea chester chicago chicken chocolate christ christian christopher client computer cookie corvette cowboy cowboys crystal customer dallas daniel
danielle database david default demo diamond dolphin dolphins donald dragon eagles elephant elizabeth eminem england enter facebook falcon
ferrari flower flowers football forever forget france freedom friday friend friends fuckoff fuckyou gabriel gandalf garfield genesis george ginger
golden goldfish google gordon guest guitar hannah happy harley heather heaven hello helloworld hockey hottie hunter iceman iloveyou iloveu internet
ireland isabella jackson jaguar james january jasmine jasper jennifer jessica jessie jesus jonathan jordan joseph joshua junior justin killer
kimberly kitty knight knights lakers lauren letmein liberty lifehack linkedin liverpool login london love lovely loveme lover loveyou lucky madison
madrid maggie manager manchester marina market marketplace marlboro martin master matrix matthew maverick melissa mercedes merlin metallica
michael michelle mickey miller minecraft money monday monica monkey monster morgan mother mountain music mustang myspace naruto nathan ncc
newyork nicholas nicole nintendo nothing november oliver orange packers pamela panther paris pass passpass passwd password passwort patricia
patrick peaches peanut pepper phoenix player please pokemon porsche power princess purple qazwsx qazwsxedc qwaszx qwer qwert qwerty qwertyui
qwertyuiop rabbit rachel raiders rainbow ranger rangers rebecca redskins richard robert rocky root rosebud runner russia samantha samsung
samuel sandra saturn savannah scooby scooter secret secure seller september service services shadow shannon silver simple slayer
snoopy snowball soccer spider spiderman spring squirt startrek starwars steelers stephanie steven strawberry success summer summit sunday sunflower
sunshine super superman supervisor support sweet sweety sydney system taylor teacher temp temporary test tester testing thomas thunder thx
tiger tigers tigger tomcat toyota travis trouble trustme trustno tucker twitter unknown user username vanessa victor victoria viking viper
voodoo warrior warriors webmaster welcome whatever william willow windows winner winter wizard worker xxx yamaha yankee yankees yellow zaqwsx
zaq zaq12wsx zxcv zxcvb zxcvbn zxcvbnm
";

/// Keyboard rows and other sequences. A password that follows one of them, in either direction, is
/// common.
const ROWS: [&str; 8] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
];

/// Returns whether a lower-case password is one of those that attackers try first.
pub fn is_common(lower: &str) -> bool {
    let period = shortest_period(lower);
    [lower, period].iter().any(|text| {
        is_keyboard_walk(text)
            || text.chars().count() <= 2
            || is_word(text, &digits_to_letters(text))
            || {
                let joined: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
                is_keyboard_walk(&joined) || is_word(&joined, &digits_to_letters(&joined))
            }
    })
}

/// Returns whether a password is one of the [`WORDS`] with at most a few digits and signs around
/// it, or is short and has no letters at all. `decoded` is the password with digits replaced by
/// letters.
fn is_word(written: &str, decoded: &str) -> bool {
    [written, decoded].iter().any(|text| {
        let core = text.trim_matches(|c: char| !c.is_alphabetic());
        if core.is_empty() {
            return text.chars().count() < 12;
        }
        let (before, after) = text.split_once(core).unwrap_or_default();
        let around = before.chars().count() + after.chars().count();
        let varied = around <= 6 || is_keyboard_walk(before) && is_keyboard_walk(after);
        varied && (is_keyboard_walk(core) || WORDS.split_whitespace().any(|word| word == core))
    })
}

/// Replaces digits and signs with the letters that they stand for.
fn digits_to_letters(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    // Digits and signs after the word are not letters: `password1` is not `passwordi`.
    let end = text.trim_end_matches(|c: char| !c.is_alphabetic()).len();
    let (word, tail) = text.split_at(end);
    word.chars().map(letter).chain(tail.chars()).collect()
}

/// Returns the shortest part that the text repeats: `abc` for `abcabcabc`, also with an incomplete
/// last part (`abcabca`). Returns the whole text if nothing repeats.
fn shortest_period(text: &str) -> &str {
    let chars: Vec<char> = text.chars().collect();
    let repeats = |length: &usize| chars.iter().zip(&chars[*length..]).all(|(a, b)| a == b);
    let period = (1..=chars.len() / 2).find(repeats).unwrap_or(chars.len());
    text.char_indices().nth(period).map_or(text, |(end, _)| &text[..end])
}

/// Returns whether the text follows one of the [`ROWS`] in either direction. An empty text does.
fn is_keyboard_walk(text: &str) -> bool {
    let reversed: String = text.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(text) || row.contains(&reversed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_recognized_in_all_variations() {
        for password in [
            "password",
            "password1",
            "password123",
            "passw0rd",
            "p@ssw0rd",
            "p@$$w0rd!",
            "password2024!",
            "12345678",
            "123456789",
            "1234567890",
            "87654321",
            "11111111",
            "00000000",
            "12341234",
            "123123123",
            "qwertyui",
            "qwerty123",
            "qwertyuiop",
            "1q2w3e4r",
            "1qaz2wsx",
            "zaq12wsx",
            "abcd1234",
            "abc12345",
            "iloveyou",
            "iloveyou2",
            "sunshine",
            "princess",
            "football1",
            "trustno1",
            "letmein!",
            "l3tm31n1",
            "welcome1",
            "admin123",
            "admin1234",
            "administrator",
            "changeme",
            "asdfasdf",
            "asdfghjkl",
            "zxcvbnm1",
            "abcabcabc",
            "passpass",
            "monkeymonkey",
            "summer2025",
            "winter-2024",
            "aaaaaaaaa",
            "marketplace",
            "worker123",
            "client123",
            "$uper$ecret".replace("$uper", "").as_str(),
            "!!!!!!!!",
            "2023-2024",
            "qwer1234",
            "1234qwer",
            "test1234",
            "dragon12",
            "michael1",
            "starwars",
            "hello.world",
            "let me in",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn longer_passphrases_and_random_passwords_are_not_common() {
        for password in [
            "correct horse",
            "correct horse battery staple",
            "пароль-пароль-нет",
            "tr0ub4dor&3",
            "blue-otter-41-lamp",
            "k7#mq2!zv9",
            "the quick brown fox",
            "marketeer-of-venice",
            "sunshine on leith",
            "ääkköset-yö",
            "7 dwarfs & 1 witch",
            "no1-knows-this",
            "x9v2k4m7",
            "9f#2!7$&31@8%46",
            "837192658371",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }
}
