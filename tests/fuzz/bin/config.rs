#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("config"), |data: &[u8]| dak_fuzz::config::config(data));
