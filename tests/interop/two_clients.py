"""Two libwebrtc clients (PyPI `livekit`) publish and receive picture and sound through a LiveKit server.

What is received is judged by content: each picture is one colour that only its sender shows, each sound one tone
that only its sender plays. Prints one JSON report; exit status 1 if anything is missing.

    python two_clients.py --url ws://127.0.0.1:7880 --key KEY --secret SECRET [--seconds 6] [--codec h264]
"""

import argparse
import asyncio
import json
import sys
import time

import numpy as np
from livekit import rtc

from tokens import token

RATE = 48_000
WIDTH, HEIGHT = 1280, 720


class Client:
    """One participant: shows a grey of a given brightness, plays a given tone, notes what it gets."""

    def __init__(self, name: str, luma: int, tone: float, codec: int, simulcast: bool) -> None:
        self.name, self.luma, self.tone, self.codec, self.simulcast = name, luma, tone, codec, simulcast
        self.room = rtc.Room()
        self.started = 0.0
        self.report: dict = {"name": name, "frames": 0, "lumas": [], "sizes": [], "tones": [], "events": []}
        self.tasks: list[asyncio.Task] = []
        self.room.on("track_subscribed", self.on_track)
        for event in ("disconnected", "reconnecting", "reconnected", "track_muted", "participant_disconnected"):
            self.room.on(event, lambda *_, event=event: self.report["events"].append(event))

    async def join(self, url: str, jwt: str) -> None:
        self.started = time.monotonic()
        options = rtc.RoomOptions(auto_subscribe=True, single_peer_connection=True)
        await self.room.connect(url, jwt, options)
        self.report["join_ms"] = round((time.monotonic() - self.started) * 1000)

    async def publish(self) -> None:
        video, audio = rtc.VideoSource(WIDTH, HEIGHT), rtc.AudioSource(RATE, 1)
        camera = rtc.LocalVideoTrack.create_video_track("camera", video)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, video_codec=self.codec, simulcast=self.simulcast)
        await self.room.local_participant.publish_track(camera, options)
        microphone = rtc.LocalAudioTrack.create_audio_track("microphone", audio)
        await self.room.local_participant.publish_track(
            microphone, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )
        self.tasks += [asyncio.create_task(self.show(video)), asyncio.create_task(self.play(audio))]

    async def show(self, source: rtc.VideoSource) -> None:
        luma = bytes([self.luma]) * (WIDTH * HEIGHT)
        chroma = bytes([128]) * (WIDTH * HEIGHT // 2)
        while True:
            source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, luma + chroma))
            await asyncio.sleep(1 / 20)

    async def play(self, source: rtc.AudioSource) -> None:
        samples, at = RATE // 100, 0
        while True:
            phase = 2 * np.pi * self.tone * (np.arange(samples) + at) / RATE
            data = (np.sin(phase) * 8000).astype(np.int16)
            await source.capture_frame(rtc.AudioFrame(data.tobytes(), RATE, 1, samples))
            at += samples

    def on_track(self, track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            self.tasks.append(asyncio.create_task(self.watch(track)))
        else:
            self.tasks.append(asyncio.create_task(self.listen(track)))

    async def watch(self, track: rtc.Track) -> None:
        async for event in rtc.VideoStream(track, format=rtc.VideoBufferType.I420):
            frame = event.frame
            if self.report["frames"] == 0:
                self.report["first_video_ms"] = round((time.monotonic() - self.started) * 1000)
            self.report["frames"] += 1
            plane = np.frombuffer(frame.data, np.uint8)[: frame.width * frame.height]
            self.report["lumas"].append(int(plane.mean()))
            size = f"{frame.width}x{frame.height}"
            if size not in self.report["sizes"]:
                self.report["sizes"].append(size)

    async def listen(self, track: rtc.Track) -> None:
        heard = np.zeros(0, np.int16)
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            heard = np.concatenate([heard, np.frombuffer(event.frame.data, np.int16)])
            if len(heard) >= RATE // 2:
                spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
                self.report["tones"].append(round(float(np.argmax(spectrum) * RATE / len(heard))))
                heard = np.zeros(0, np.int16)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await self.room.disconnect()

    def saw_and_heard(self, other: "Client") -> bool:
        lumas, tones = self.report["lumas"][5:], self.report["tones"][1:]
        seen = len(lumas) > 20 and abs(np.median(lumas) - other.luma) < 12
        heard = len(tones) > 2 and abs(np.median(tones) - other.tone) < 15
        self.report |= {"saw": bool(seen), "heard": bool(heard), "lumas": lumas[-3:], "tones": tones[-3:]}
        return bool(seen and heard)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    parser.add_argument("--room", default="interop")
    parser.add_argument("--no-simulcast", action="store_true")
    args = parser.parse_args()
    codec = {"h264": rtc.VideoCodec.H264, "vp8": rtc.VideoCodec.VP8}[args.codec]
    pair = [Client(name, luma, tone, codec, not args.no_simulcast) for name, luma, tone in (("a", 60, 440.0), ("b", 190, 880.0))]
    for client in pair:
        await client.join(args.url, token(args.key, args.secret, args.room, client.name))
        await client.publish()
    await asyncio.sleep(args.seconds)
    ok = all([pair[0].saw_and_heard(pair[1]), pair[1].saw_and_heard(pair[0])])
    for client in pair:
        await client.close()
    print(json.dumps({"ok": ok, "clients": [client.report for client in pair]}, indent=1))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
