//! Counts what a file would make the decoder keep, before it is decoded.
//!
//! A protobuf message of two bytes can become a struct of hundreds: without a count first, a small file could ask for a
//! thousand times its own size. The walk follows only the messages that `proto` declares, so its depth is fixed by the
//! schema and not by the file. It allocates nothing.

/// Most nodes, attributes, tensors, names and numbers outside packed lists that a file may have together.
pub(crate) const PARTS_MAX: usize = 400_000;

/// The messages whose repeated parts are counted: field number of a part and the message it holds, if it is one of these.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Other,
}

impl Message {
    fn part(self, field: u64) -> Message {
        match (self, field) {
            (Message::Model, 7) => Message::Graph,
            (Message::Graph, 1) => Message::Node,
            (Message::Node, 5) => Message::Attribute,
            (Message::Graph, 5) | (Message::Attribute, 5) => Message::Tensor,
            (Message::Graph, 11 | 12) => Message::Value,
            (Message::Value, 2) => Message::Value,
            // Type, tensor type and shape of a value are nested singly; their axes are counted as parts of the value.
            _ => Message::Other,
        }
    }

    /// Parts of this field are kept in a list by the decoder.
    fn listed(self, field: u64) -> bool {
        match self {
            Message::Model => field == 8,
            Message::Graph => matches!(field, 1 | 5 | 11 | 12),
            Message::Node => matches!(field, 1 | 2 | 5),
            Message::Attribute => matches!(field, 7..=9),
            Message::Tensor => matches!(field, 1 | 4 | 5 | 7 | 10),
            Message::Value => true,
            Message::Other => false,
        }
    }
}

/// Refuses bytes that are not protobuf or have too many parts.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let mut parts = 0;
    walk(bytes, Message::Model, &mut parts)
}

fn walk(mut bytes: &[u8], message: Message, parts: &mut usize) -> Result<(), String> {
    let cut = || "the file is cut short, or is not an ONNX model".to_owned();
    while !bytes.is_empty() {
        let key = varint(&mut bytes).ok_or_else(cut)?;
        let field = key >> 3;
        if message.listed(field) {
            *parts += 1;
            if *parts > PARTS_MAX {
                return Err(format!("the file has more than {PARTS_MAX} nodes, attributes, tensors and names; that is not a network"));
            }
        }
        match key & 7 {
            0 => drop(varint(&mut bytes).ok_or_else(cut)?),
            1 => bytes = bytes.get(8..).ok_or_else(cut)?,
            5 => bytes = bytes.get(4..).ok_or_else(cut)?,
            2 => {
                let length = varint(&mut bytes).and_then(|length| usize::try_from(length).ok()).ok_or_else(cut)?;
                let content = bytes.get(..length).ok_or_else(cut)?;
                bytes = &bytes[length..];
                match (message, field) {
                    // Types nest four deep: value, type, tensor type, shape, axis.
                    (Message::Value, _) => count_value(content, 4, parts)?,
                    _ => match message.part(field) {
                        Message::Other => {}
                        part => walk(content, part, parts)?,
                    },
                }
            }
            other => return Err(format!("the file is not an ONNX model: wire type {other} does not occur in one")),
        }
    }
    Ok(())
}

/// Counts every field of a value's type. What does not read as a message is a name.
fn count_value(mut bytes: &[u8], depth: usize, parts: &mut usize) -> Result<(), String> {
    while !bytes.is_empty() && depth > 0 {
        *parts += 1;
        if *parts > PARTS_MAX {
            return Err(format!("the types of inputs and outputs have more than {PARTS_MAX} parts; that is not a network"));
        }
        let Some(key) = varint(&mut bytes) else { return Ok(()) };
        let rest = match key & 7 {
            0 => varint(&mut bytes).map(|_| bytes),
            1 => bytes.get(8..),
            5 => bytes.get(4..),
            2 => {
                let Some(length) = varint(&mut bytes).and_then(|length| usize::try_from(length).ok()) else { return Ok(()) };
                let Some(content) = bytes.get(..length) else { return Ok(()) };
                count_value(content, depth - 1, parts)?;
                bytes.get(length..)
            }
            _ => None,
        };
        let Some(rest) = rest else { return Ok(()) };
        bytes = rest;
    }
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * place);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{PARTS_MAX, check};

    #[test]
    fn many_empty_nodes_are_refused_before_they_are_decoded() {
        let mut graph = Vec::new();
        for _ in 0..=PARTS_MAX {
            graph.extend([0x0a, 0x00]);
        }
        let mut file = vec![0x3a];
        let mut length = graph.len();
        while length > 0x7f {
            file.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        file.push(length as u8);
        file.extend(graph);
        assert!(check(&file).unwrap_err().contains("more than"));
        assert!(check(&[0x3a, 0x02, 0x0a, 0x00]).is_ok());
        assert!(check(&[0x3a, 0x05, 0x0a]).unwrap_err().contains("cut short"));
        assert!(check(&[0xff; 11]).unwrap_err().contains("cut short"));
    }
}
