#!/usr/bin/env bash
# Builds the host with CUDA, on a machine with or without a GPU: `make cuda`.
#
# Where CUDA_HOME names a toolkit, that one is used. Else compiler and libraries come from PyPI, and where no driver is
# installed the program is linked against an empty stand-in for its library; a real driver takes its place when it runs.
# The result is <target>/release/bellwether-cuda. It wants the driver's libcuda.so.1 and, beside it or on
# LD_LIBRARY_PATH, the libraries of CUDA 13 (`libcublas.so.13` and others), which an installation of PyTorch brings too.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
work=$target/cuda-toolkit
mkdir -p "$work/link"

if [ -z "${CUDA_HOME:-}" ]; then
  # The newest nvcc that the bindings know; what driver 580 and later speak.
  [ -x "$work/python/bin/pip" ] || python3 -m venv "$work/python"
  "$work/python/bin/pip" install --quiet --disable-pip-version-check 'nvidia-cuda-nvcc==13.0.*' 'nvidia-cuda-runtime==13.0.*' \
    'nvidia-cuda-cccl==13.0.*' 'nvidia-cuda-crt==13.0.*' 'nvidia-nvvm==13.0.*' 'nvidia-cublas==13.0.*' \
    'nvidia-cuda-nvrtc==13.0.*' nvidia-curand
  CUDA_HOME=$(echo "$work"/python/lib/python3*/site-packages/nvidia/cu13)
fi
export CUDA_HOME CUDA_PATH=$CUDA_HOME CUDA_ROOT=$CUDA_HOME CUDA_TOOLKIT_ROOT_DIR=$CUDA_HOME
export PATH=$CUDA_HOME/bin:$PATH CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90}

libraries=$CUDA_HOME/lib
[ -d "$CUDA_HOME/lib64" ] && libraries=$CUDA_HOME/lib64
# The linker looks for names without a version.
for name in curand cublas cublasLt cudart nvrtc; do
  found=$(find "$libraries" -maxdepth 1 -name "lib$name.so*" | sort | head -n 1)
  [ -n "$found" ] || { echo "lib$name is not in $libraries" >&2; exit 1; }
  ln -sf "$found" "$work/link/lib$name.so"
done

# Not RUSTFLAGS: those would compile every dependency again.
export LIBRARY_PATH=$work/link:$libraries${LIBRARY_PATH:+:$LIBRARY_PATH}
# The whole workspace, as every other command builds it: another selection would compile the dependencies again.
features=(--workspace --features bellwether-server/cuda)
driver=$(ldconfig -p 2>/dev/null | sed -n 's/.*libcuda\.so\.1.*=> //p' | head -n 1)
if [ -n "$driver" ]; then
  ln -sf "$driver" "$work/link/libcuda.so"
else
  # What the bindings ask of the driver, each as an empty function.
  cargo build --release --lib "${features[@]}"
  for library in "$target"/release/deps/libcudarc-*.rlib; do nm -u "$library" 2>/dev/null; done |
    sed -n 's/.* U \(cu[A-Z][A-Za-z0-9_]*\)$/\1/p' | grep -v -E '^cu(blas|rand|dnn)' | sort -u |
    sed 's/.*/void &(void) {}/' > "$work/driver.c"
  cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$work/link/libcuda.so" "$work/driver.c"
fi

cargo build --release "${features[@]}"
cp "$target/release/bellwether" "$target/release/bellwether-cuda"
if [ "${1:-}" = --tests ]; then
  cargo test --release --workspace --features bellwether-server/cuda --no-run
fi
echo "built $target/release/bellwether-cuda for compute capability $CUDA_COMPUTE_CAP; libraries are in $libraries"
