//! Files cut short and files with flipped bytes: a clear error or a network, never a panic, never a large allocation.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(unsafe_code, reason = "an allocator that measures has to call the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_domain::Error;
use bellwether_onnx::{Options, read};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The largest single allocation since the last look.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Measured;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Measured = Measured;

const NAMES: [&str; 8] = [
    "lstm_ts",
    "bilstm_hidden_dynamo",
    "gru_dynamo",
    "mlp_ts",
    "tcn_ts",
    "tcn_chomp_dynamo",
    "attention_fused_ts",
    "transformer_causal_dynamo",
];

fn fixture(name: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/onnx").join(format!("{name}.onnx"));
    std::fs::read(file).unwrap()
}

/// Reads bytes; an error must be one for the caller, with a field and a reason. True if they make a network.
fn tried(bytes: &[u8], what: &str) -> bool {
    LARGEST.store(0, Ordering::Relaxed);
    let options = Options { features: Some(5), ..Options::default() };
    let result = read(bytes, &options);
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest <= 64 * bytes.len() + (4 << 20), "{what}: one allocation of {largest} bytes for a file of {}", bytes.len());
    match result {
        Ok(_) => true,
        Err(Error::Invalid { field, why }) => {
            assert!(field.starts_with("model") || field.starts_with("network"), "{what}: field `{field}`");
            assert!(why.len() > 10 && why.len() < 2_000, "{what}: `{why}`");
            false
        }
        Err(other) => panic!("{what}: {other:?}"),
    }
}

#[test]
fn no_part_of_a_file_is_taken_for_a_whole() {
    for name in ["lstm_ts", "attention_dynamo", "tcn_ts"] {
        let whole = fixture(name);
        assert!(tried(&whole, name));
        for length in (0..whole.len()).step_by(5) {
            // The last bytes may be the operator set's, without which a file says nothing; none before is whole.
            assert!(!tried(&whole[..length], &format!("{name} cut to {length}")), "{name} cut to {length} bytes");
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(20_241_205);
    let (mut read, mut refused) = (0, 0);
    for round in 0..4_000 {
        let name = NAMES[round % NAMES.len()];
        let mut bytes = fixture(name);
        for _ in 0..random.random_range(1..=4) {
            let place = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes[place] = random.random(),
                1 => bytes[place] ^= 1 << random.random_range(0..8),
                2 => bytes[place] = [0x00, 0xff, 0x7f, 0x80][random.random_range(0..4)],
                _ => drop(bytes.remove(place)),
            }
        }
        if tried(&bytes, &format!("{name}, round {round}")) { read += 1 } else { refused += 1 }
    }
    // Most bytes are weights, where a flip is another model; the test is of the others.
    assert!(read > 200 && refused > 200, "{read} read, {refused} refused");
}

#[test]
fn bytes_that_are_no_model() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for length in [0, 1, 2, 3, 10, 100, 10_000] {
        for _ in 0..50 {
            let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
            assert!(!tried(&bytes, "random bytes"));
        }
    }
    assert!(!tried(b"PK\x03\x04 a zip file, as torch.save writes", "zip"));
}
