//! Passwords that attackers try first.
//!
//! Lists of leaked passwords are long because people vary few words: `Passw0rd`, `password1`,
//! `Password2024!`. So this holds the words, and knows the variations: case, digits and signs
//! before or after, letters written as digits, a word or a sequence repeated, keys that lie side by
//! side. That refuses what a list of a hundred times its size would, in a few kilobytes, at no
//! lookup over the network.

/// What people make passwords of: letters only, as they are left when the variations are taken
/// away.
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

/// Rows of keys, and what is counted up: a password that is a walk along one of them, either way,
/// is no secret.
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

/// Whether a password, in lower case, is one of those that attackers try first.
pub fn is_common(lower: &str) -> bool {
    let repeated = shortest_period(lower);
    [lower, repeated].iter().any(|text| {
        is_keyboard_walk(text) || text.chars().count() <= 2 || is_word(text, &plain(text)) || {
            let joined: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            is_keyboard_walk(&joined) || is_word(&joined, &plain(&joined))
        }
    })
}

/// Whether what is left of it, as written or with digits read as letters, is one of the [`WORDS`],
/// or nothing at all.
fn is_word(written: &str, read: &str) -> bool {
    [written, read].iter().any(|text| {
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

/// Digits and signs that stand for letters, as those.
fn plain(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    // What follows the word is no letter, whatever it looks like: `password1` is not `passwordi`.
    let end = text.trim_end_matches(|c: char| !c.is_alphabetic()).len();
    let (word, tail) = text.split_at(end);
    word.chars().map(letter).chain(tail.chars()).collect()
}

/// `abcabcabc` is `abc`, and everything else is itself. A part that is left over counts: `abcabca`.
fn shortest_period(text: &str) -> &str {
    let chars: Vec<char> = text.chars().collect();
    let repeats = |length: &usize| chars.iter().zip(&chars[*length..]).all(|(a, b)| a == b);
    let period = (1..=chars.len() / 2).find(repeats).unwrap_or(chars.len());
    text.char_indices().nth(period).map_or(text, |(end, _)| &text[..end])
}

/// Whether it goes along one of the [`ROWS`], either way; nothing does.
fn is_keyboard_walk(text: &str) -> bool {
    let back: String = text.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(text) || row.contains(&back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_attackers_try_first_is_common_in_every_variation() {
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
    fn what_takes_more_than_a_word_and_a_number_is_not() {
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
