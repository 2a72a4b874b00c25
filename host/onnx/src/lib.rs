//! ONNX files become network descriptions and weights.
