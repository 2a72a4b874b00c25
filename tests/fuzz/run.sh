#!/usr/bin/env bash
# Runs every fuzz target, or those named, for SECONDS_EACH seconds (600 by default). Wants `cargo install cargo-fuzz`.
# A stable compiler will do: the sanitizer's switch is unlocked for these builds alone.
set -euo pipefail
cd "$(dirname "$0")"
export RUSTC_BOOTSTRAP=1
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(network weights checkpoint artifact onnx manifest component)
for target in "${targets[@]}"; do
  echo "== $target"
  seeds=("corpus/$target")
  [ "$target" = onnx ] && seeds=(../fixtures/onnx)
  features=()
  [ "$target" = artifact ] && features=(--features artifact)
  [[ "$target" = manifest || "$target" = component ]] && features=(--features plugin)
  mkdir -p "found/$target" "corpus/$target"
  cargo fuzz run --fuzz-dir . "${features[@]}" "$target" "found/$target" "${seeds[@]}" -- -max_total_time="${SECONDS_EACH:-600}" -rss_limit_mb=4096 -timeout=20 -print_final_stats=1
done
