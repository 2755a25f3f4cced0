//! Video: pictures, colour and size conversion, sources, the H.264 simulcast encoder and the decoder.
//!
//! Nothing here queues pictures: a slow reader sees the latest one, older ones are gone.

pub mod convert;
pub mod decode;
pub mod encode;
pub mod frame;
pub mod h264;
pub mod look;
pub mod scale;
pub mod sender;
pub mod source;
pub mod speed;
pub mod stamp;

pub use convert::{ConvertError, PixelFormat, RawPicture, to_i420, to_rgba};
pub use decode::{DecodeError, VideoDecoder};
pub use encode::{Content, EncodeError, EncodedFrame, Layer, LayerConfig, SimulcastConfig, SimulcastEncoder};
pub use frame::{I420, LatestFrame, VideoFrame};
pub use look::{Look, Seen};
pub use scale::scale;
pub use sender::{Onlooker, VideoControl, VideoEvent, VideoSender, VideoSenderStats};
pub use source::{
    CameraChoice, CameraId, CameraInfo, CameraSource, CaptureFormat, FrameSource, SourceError, cameras,
    open_camera,
};
pub use speed::{Speed, SpeedError, codec_speeds};
pub use stamp::{Stamp, burn_stamp, read_stamp};
