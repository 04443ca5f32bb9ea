#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("ticket"), |data: &[u8]| dak_fuzz::texts::ticket(data));
