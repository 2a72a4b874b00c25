#!/usr/bin/env bash
# On a machine with a GPU: the core's equality tests there, then training beside PyTorch (PEERS_PYTHON names an interpreter
# that has it with CUDA). Builds first, so it wants what build.sh wants. Says so and ends well where there is no GPU.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
  echo "not run: this machine has no NVIDIA driver (libcuda.so.1)"
  exit 0
fi
bash tests/cuda/build.sh --tests
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
libraries=${CUDA_HOME:-$(echo "$target"/cuda-toolkit/python/lib/python3*/site-packages/nvidia/cu13)}/lib
export LIBRARY_PATH=$target/cuda-toolkit/link:$libraries LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
features=(--workspace --features bellwether-server/cuda)

cargo test --release "${features[@]}" --lib -- --nocapture train_as_in_pytorch
ours=$(cargo bench "${features[@]}" --bench training --no-run --message-format json |
  sed -n 's/.*"name":"training".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
exec "${PEERS_PYTHON:-python3}" -B tests/bench/training.py --ours "$ours" --device cuda:0 --only lstm,transformer
