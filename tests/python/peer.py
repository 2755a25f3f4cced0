"""A participant over libwebrtc (PyPI package livekit): sends a moving picture with a burned-in clock and a tone, and prints
what it sees and hears as JSON lines. The stamp is that of crates/media/src/video/stamp.rs, written here a second time on
purpose: reading it back with other code is the point.
"""

import argparse
import asyncio
import json
import math
import signal
import time

import numpy as np
from livekit import rtc

WIDTH, HEIGHT, FPS = 640, 360, 15
RATE = 48_000
SILENT_STREAM = 3.0
COLUMNS, ROWS, ROW_FRACTION = 32, 2, 30
FRAME_BITS, CLOCK_BITS, CRC_BITS = 20, 32, 12


def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)


def crc12(payload):
    crc = 0xFFF
    for bit in reversed(range(FRAME_BITS + CLOCK_BITS)):
        top = (crc >> 11) & 1 ^ (payload >> bit) & 1
        crc = (crc << 1) & 0xFFF
        if top:
            crc ^= 0x80F
    return crc


def gray(number):
    return number ^ (number >> 1)


def ungray(code):
    for shift in (1, 2, 4, 8, 16):
        code ^= code >> shift
    return code


def blocks(width, height):
    """Where each block is, most significant bit first."""
    top = height - height * ROWS // ROW_FRACTION
    strip = height - top
    for row in range(ROWS):
        for column in range(COLUMNS):
            yield (
                slice(top + row * strip // ROWS, top + (row + 1) * strip // ROWS),
                slice(column * width // COLUMNS, (column + 1) * width // COLUMNS),
            )


def burn(luma, frame, clock_ms):
    payload = gray(frame % (1 << FRAME_BITS)) << CLOCK_BITS | gray(clock_ms % (1 << CLOCK_BITS))
    bits = payload << CRC_BITS | crc12(payload)
    for index, (rows, columns) in enumerate(blocks(luma.shape[1], luma.shape[0])):
        luma[rows, columns] = 235 if bits >> (63 - index) & 1 else 16


def read(luma):
    bits = 0
    for rows, columns in blocks(luma.shape[1], luma.shape[0]):
        block = luma[rows, columns]
        # The edges are smeared by the codec; the middle is clear.
        margin = block.shape[1] // 4
        mean = block[:, margin : block.shape[1] - margin].mean()
        if 90 <= mean < 165:
            return None
        bits = bits << 1 | (mean >= 165)
    payload = int(bits) >> CRC_BITS
    if crc12(payload) != int(bits) & ((1 << CRC_BITS) - 1):
        return None
    return {
        "frame": ungray(payload >> CLOCK_BITS & ((1 << FRAME_BITS) - 1)),
        "clockMs": ungray(payload & ((1 << CLOCK_BITS) - 1)),
    }


def tone_share(samples, hz):
    """The part of the energy that lies at one frequency, 0 to 1 (a Goertzel filter over the whole block)."""
    energy = float(np.dot(samples, samples))
    if energy < 1e-6 * len(samples):
        return 0.0
    angle = 2 * math.pi * hz / RATE * np.arange(len(samples))
    real, imaginary = np.dot(samples, np.cos(angle)), np.dot(samples, np.sin(angle))
    return float(min(1.0, 2 * (real * real + imaginary * imaginary) / (len(samples) * energy)))


async def send_video(source):
    start, number = time.monotonic(), 0
    while True:
        picture = np.full(WIDTH * HEIGHT * 3 // 2, 128, np.uint8)
        luma = picture[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
        luma[:] = np.linspace(60, 180, WIDTH, dtype=np.uint8)
        luma[:, number * 8 % WIDTH :][:, :40] = 210
        burn(luma, number, int(time.time() * 1000))
        source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, bytearray(picture.tobytes())))
        number += 1
        await asyncio.sleep(max(0.0, start + number / FPS - time.monotonic()))


async def send_tone(source, hz):
    block, at = RATE // 50, 0
    while True:
        wave = 0.3 * np.sin(2 * math.pi * hz / RATE * np.arange(at, at + block))
        data = (wave * 32767).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(bytearray(data.tobytes()), RATE, 1, block))
        at = (at + block) % RATE


async def pictures(track):
    """The frames of a track. One stream in thirty of the package gives none, while libwebrtc's own statistics count the
    decoded frames: a stream that is silent is opened again."""
    while True:
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420)
        try:
            while True:
                yield await asyncio.wait_for(anext(stream), SILENT_STREAM)
        except (asyncio.TimeoutError, StopAsyncIteration):
            await stream.aclose()


async def watch_video(track, identity, source):
    frames, said = 0, 0.0
    async for event in pictures(track):
        frame = event.frame
        frames += 1
        if time.monotonic() - said < 0.5:
            continue
        said = time.monotonic()
        luma = np.frombuffer(frame.data, np.uint8)[: frame.width * frame.height].reshape(frame.height, frame.width)
        say("seen", seat=identity, source=source, frames=frames, width=frame.width, height=frame.height, stamp=read(luma))


async def watch_audio(track, identity, hz):
    kept, total = [], 0
    async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
        block = np.frombuffer(event.frame.data, np.int16).astype(np.float64) / 32768
        kept.append(block)
        total += len(block)
        if sum(map(len, kept)) >= RATE // 2:
            samples = np.concatenate(kept)
            kept = []
            level = math.sqrt(float(np.mean(samples * samples)))
            say(
                "heard",
                seat=identity,
                receivedMs=total * 1000 // RATE,
                rmsDb=20 * math.log10(max(level, 1e-5)),
                tone=tone_share(samples, hz),
            )


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--send-hz", type=int, required=True)
    parser.add_argument("--listen-hz", type=int, required=True)
    args = parser.parse_args()

    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)

    room = rtc.Room()
    tasks = []

    def start(work):
        """Runs beside the rest. What goes wrong in it is said, or nobody would know why nothing comes."""
        task = asyncio.create_task(work)
        task.add_done_callback(
            lambda ended: ended.cancelled() or ended.exception() and say("failed", message=repr(ended.exception()))
        )
        tasks.append(task)

    @room.on("track_subscribed")
    def subscribed(track, publication, participant):
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            screen = publication.source == rtc.TrackSource.SOURCE_SCREENSHARE
            source = "screen" if screen else "camera"
            start(watch_video(track, participant.identity, source))
        else:
            start(watch_audio(track, participant.identity, args.listen_hz))

    @room.on("disconnected")
    def disconnected(reason):
        say("disconnected", reason=str(reason))

    await room.connect(args.url, args.token)
    say("joined")
    camera, microphone = rtc.VideoSource(WIDTH, HEIGHT), rtc.AudioSource(RATE, 1)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, video_codec=rtc.VideoCodec.H264)
    track = rtc.LocalVideoTrack.create_video_track("camera", camera)
    await room.local_participant.publish_track(track, options)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", microphone)
    await room.local_participant.publish_track(track, options)
    say("published")
    start(send_video(camera))
    start(send_tone(microphone, args.send_hz))

    await done.wait()
    for task in tasks:
        task.cancel()
    await room.disconnect()


asyncio.run(main())
