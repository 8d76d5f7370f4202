//! Code lists of other standards that values refer to.

/// Numeric country codes of ISO 3166-1, three digits each, ascending.
pub const COUNTRIES: &str = concat!(
    "004008010012016020024028031032036040044048050051052056060064068070072074076084086090092096",
    "100104108112116120124132136140144148152156158162166170174175178180184188191192196",
    "203204208212214218222226231232233234238239242246248250254258260262266268270275276288292296",
    "300304308312316320324328332334336340344348352356360364368372376380384388392398",
    "400404408410414417418422426428430434438440442446450454458462466470474478480484492496498499",
    "500504508512516520524528531533534535540548554558562566570574578580581583584585586591598",
    "600604608612616620624626630634638642643646652654659660662663666670674678682686688690694",
    "702703704705706710716724728729732740744748752756760762764768772776780784788792795796798",
    "800804807818826831832833834840850854858860862876882887894",
);

/// Country codes of two letters of ISO 3166-1, ascending.
pub const COUNTRY_LETTERS: &str = concat!(
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZ",
    "DEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISIT",
    "JEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ",
    "NANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ",
    "TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW",
);

/// Numeric currency codes of ISO 4217, three digits each, ascending; those withdrawn lately stay, for goods outlive them.
pub const CURRENCIES: &str = concat!(
    "008012032036044048050051052060064068072084090096104108116124132136144152156170174188191192",
    "203208214222230232238242262270292320324328332340344348352356360364368376388392396398",
    "400404408410414417418422426430434446454458462480484496498504512516524532533548554558566578586590598",
    "600604608634643646654682690694702704706710728748752756760764776780784788",
    "800807818826834840858860882886901924925927928929930931932933934936938940941943944946947948949",
    "950951952953955956957958959960961962963964965967968969970971972973975976977978979980981984985986990994997999",
);

/// Whether a list of codes of the same length holds one.
pub fn is_in(list: &str, code: &[u8], length: usize) -> bool {
    code.len() == length && list.as_bytes().chunks_exact(length).any(|known| known == code)
}

/// Package types of UN/ECE Recommendation 21 with those that GS1 adds: for each first character what may follow it.
const PACKAGES: [(u8, &str); 35] = [
    (b'1', "A B D F G W"),
    (b'2', "00 01 02 03 04 05 06 10 11 12 C"),
    (b'3', "A H"),
    (b'4', "3 4 A B C D F G H"),
    (b'5', "H L M"),
    (b'6', "H P"),
    (b'7', "A B"),
    (b'8', "- A B C"),
    (b'9', "-"),
    (b'A', "A B C D F G H I J L M P PE T V"),
    (b'B', "4 B C D E F G GE H I J K L M ME N O P Q R RI S T U V W X Y Z"),
    (b'C', "A B BL C CE D E F G H I J K L M N O P Q R S T U V W X Y Z"),
    (b'D', "A B C G H I J K L M N P PE R S T U V W X Y"),
    (b'E', "1 2 3 C D E F G H I N"),
    (b'F', "B C D E I L O OB P PE R T W X"),
    (b'G', "B I L R U Y Z"),
    (b'H', "A B C G N R"),
    (b'I', "A B C D E F G H K L N Z"),
    (b'J', "B C G R T Y"),
    (b'K', "G I"),
    (b'L', "AB E G T U V Z"),
    (b'M', "A B C E PE R S T W X"),
    (b'N', "A E F G S T U V"),
    (b'O', "A B C D E F K PE T U"),
    (b'P', "2 A AE B C D E F G H I J K L LP N O OP P PE R T U UE V X Y Z"),
    (b'Q', "A B C D F G H J K L M N P Q R S"),
    (b'R', "B1 B2 B3 CB D G J K L O T Z"),
    (b'S', "1 A B C D E EC H I K L M O P S T TL U V W X Y Z"),
    (b'T', "1 B C D E EV G HE I K L N O R RE S T TE U V W WE Y Z"),
    (b'U', "C N UE"),
    (b'V', "A G I K L N O P Q R S Y"),
    (b'W', "A B C D F G H J K L M N P Q R RP S T U V W X Y Z"),
    (b'X', "11 12 15 16 17 18 19 20 3 A B C D F G H J K"),
    (b'Y', "A B C D F G H J K L M N P Q R S T V W X Y Z"),
    (b'Z', "A B C D F G H J K L M N P Q R S T U V W X Y Z"),
];

/// Whether a text is a package type.
pub fn is_package_type(code: &[u8]) -> bool {
    let Some((first, rest)) = code.split_first() else { return false };
    let rest = if rest.is_empty() { b"-" } else { rest };
    let following = PACKAGES.iter().find(|(known, _)| known == first).map_or("", |(_, following)| following);
    following.split(' ').any(|known| known.as_bytes() == rest && !(known == "-" && code.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_and_in_order() {
        for (list, length, count) in [(COUNTRIES, 3, 249), (COUNTRY_LETTERS, 2, 249), (CURRENCIES, 3, 182)] {
            let codes: Vec<&[u8]> = list.as_bytes().chunks_exact(length).collect();
            assert!(codes.is_sorted() && list.len() % length == 0, "{list}");
            assert_eq!(codes.len(), count, "{list}");
        }
        assert!(is_in(COUNTRIES, b"276", 3) && is_in(CURRENCIES, b"978", 3) && is_in(COUNTRY_LETTERS, b"DE", 2));
        // Across a boundary there is no code.
        assert!(!is_in(COUNTRIES, b"040", 2) && !is_in(CURRENCIES, b"080", 3));
    }

    #[test]
    fn package_types_have_one_to_three_characters() {
        for known in ["1A", "8", "9", "8A", "BGE", "X11", "ZZ", "PLP", "200"] {
            assert!(is_package_type(known.as_bytes()), "{known}");
        }
        for none in ["", "1", "0", "8-", "200_", "PLPX", "ZE", "-"] {
            assert!(!is_package_type(none.as_bytes()), "{none}");
        }
    }
}
