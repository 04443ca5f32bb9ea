#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("scenario"), |data: &[u8]| dak_fuzz::texts::scenario(data));
