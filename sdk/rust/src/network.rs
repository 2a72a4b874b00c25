//! Networks: what the host is to train, written layer by layer.
//!
//! ```
//! use bellwether_sdk::network::{Loss, NetworkBuilder, Recurrent};
//!
//! let mut net = NetworkBuilder::new();
//! let x = net.input();
//! let x = net.lstm(x, Recurrent::new(64).sequences());
//! let x = net.dropout(x, 0.2);
//! let x = net.lstm(x, Recurrent::new(32));
//! let y = net.dense(x, 1);
//! net.output("prediction", y, Loss::Mse);
//! let network = net.build();
//! assert_eq!(network.nodes[1].name, "lstm_1");
//! ```
//! Nodes are named after their operation and counted, unless [`NetworkBuilder::name`] says otherwise. Shapes are checked by
//! the host, which names the node in its errors. The numbers of [`Training::default`] are Keras's: Adam, learning rate 0.001,
//! batches of 32; beside them gradients are clipped at norm 1 and training stops after 10 epochs without improvement.
mod builder;

pub use builder::{Conv, NetworkBuilder, Node, Recurrent};

pub use crate::bindings::shared::bellwether::nn::network::{
    Activation, Adam, Attention, EarlyStopping, Initializer, Loss, Network, Operation, Optimizer, Output, Position, Schedule, Sgd,
    TimePooling, Training,
};

/// The records behind [`Operation`] and [`Network`], as `wit/nn` has them: for [`NetworkBuilder::operation`] and for reading a
/// network that was built.
pub mod raw {
    pub use crate::bindings::shared::bellwether::nn::network::{
        BatchNorm, Conv1d, CustomOperation, Dense, Embedding, Node, Recurrent, Slice,
    };
}

impl Default for Adam {
    fn default() -> Adam {
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl Default for EarlyStopping {
    fn default() -> EarlyStopping {
        EarlyStopping { patience: 10, min_delta: 0.0, restore_best: true }
    }
}

impl Default for Training {
    fn default() -> Training {
        Training {
            epochs: 100,
            batch_size: 32,
            learning_rate: 1e-3,
            optimizer: Optimizer::Adam(Adam::default()),
            schedule: Schedule::Constant,
            clip_norm: Some(1.0),
            early_stopping: Some(EarlyStopping::default()),
        }
    }
}
