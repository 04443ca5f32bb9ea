#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("api"), |data: &[u8]| dak_fuzz::api::api(data));
