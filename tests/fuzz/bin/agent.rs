#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("agent"), |data: &[u8]| dak_fuzz::agent::agent(data));
