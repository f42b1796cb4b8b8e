"""The example's echo on either of gRPC's servers for Python, with health and draining: server.py asyncio|sync HOST:PORT. See ../README.md."""

import asyncio
import concurrent.futures
import os
import queue
import signal
import sys
import threading
import time

import grpc
from waymark.v1 import attach_pb2, attach_pb2_grpc
from waymark.v1.attach_pb2 import UpstreamBatch, UpstreamFrame

import upstream

DRAIN_S = 15
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"  # HealthCheckResponse, whose only field is an enum


def draining():
    return UpstreamBatch(frames=[UpstreamFrame(draining=attach_pb2.Draining())])


class Lane:
    """One call: `put` takes what is to be sent. `attachments` are those of the lane, by connection."""

    def __init__(self, put):
        self.attachments, self.put = {}, put
        put(UpstreamBatch(frames=[UpstreamFrame(settings=attach_pb2.Settings(revision=1))]))

    def on_batch(self, batch):
        frames, size = [], 0
        for frame in batch.frames:
            attachment = self.attachments.get(frame.connection)
            if frame.payload and attachment and attachment.ids["epoch"] == frame.epoch:
                if frame.offset != attachment.consumed + len(attachment.waiting):
                    broken(f"offset {frame.offset}")
            for reply in upstream.on_frame(self.attachments, frame):
                frames.append(reply)
                size += len(reply.payload)
                if size >= upstream.BATCH_BYTES_MAX:
                    self.put(UpstreamBatch(frames=frames))
                    frames, size = [], 0
        if frames:
            self.put(UpstreamBatch(frames=frames))


class Echo(attach_pb2_grpc.UpstreamServicer):
    """What both servers share."""

    def __init__(self):
        self.lanes, self.watches, self.is_draining, self.answer = set(), set(), False, SERVING

    def add(self, lane):
        self.lanes.add(lane)
        if self.is_draining:
            lane.put(draining())

    def set_health(self, answer):
        self.answer = answer
        for put in list(self.watches):
            put(answer)

    def drain(self):
        """Tells every lane, waits until the bridge has moved the connections, and exits. Blocks."""
        self.is_draining = True
        for lane in list(self.lanes):
            lane.put(draining())
        deadline = time.monotonic() + DRAIN_S
        while any(lane.attachments for lane in list(self.lanes)):
            if time.monotonic() > deadline:
                broken("connections are still attached")
            time.sleep(0.02)
        time.sleep(0.1)  # for what is still being sent
        os._exit(0)

    def on_signal(self, number):
        if number == signal.SIGTERM:
            threading.Thread(target=self.drain).start()
        else:
            self.set_health(NOT_SERVING if number == signal.SIGUSR1 else SERVING)


class AsyncEcho(Echo):
    """On grpc.aio."""

    async def Attach(self, batches, context):
        loop, frames = asyncio.get_running_loop(), asyncio.Queue()
        lane = Lane(lambda batch: loop.call_soon_threadsafe(frames.put_nowait, batch))
        reader = asyncio.create_task(self.read(lane, batches, frames))
        self.add(lane)
        try:
            while (batch := await frames.get()) is not None:
                yield batch
        finally:
            self.lanes.discard(lane)
            reader.cancel()

    @staticmethod
    async def read(lane, batches, frames):
        async for batch in batches:
            lane.on_batch(batch)
        frames.put_nowait(None)

    async def watch(self, request, context):
        answers = asyncio.Queue()
        put = answers.put_nowait
        put(self.answer)
        self.watches.add(put)
        try:
            while True:
                yield await answers.get()
        finally:
            self.watches.discard(put)


class ThreadedEcho(Echo):
    """On grpc.server: a thread for each call, and another that reads."""

    def Attach(self, batches, context):
        frames = queue.Queue()
        lane = Lane(frames.put)
        context.add_callback(lambda: frames.put(None))
        threading.Thread(target=self.read, args=(lane, batches, frames), daemon=True).start()
        self.add(lane)
        yield from iter(frames.get, None)
        self.lanes.discard(lane)

    @staticmethod
    def read(lane, batches, frames):
        try:
            for batch in batches:
                lane.on_batch(batch)
        except grpc.RpcError:
            pass  # The bridge is gone.
        frames.put(None)

    def watch(self, request, context):
        answers = queue.Queue()
        context.add_callback(lambda: answers.put(None))
        answers.put(self.answer)
        self.watches.add(answers.put)
        yield from iter(answers.get, None)


def broken(what):
    print("BROKEN:", what, file=sys.stderr, flush=True)
    os._exit(1)


def serve(server, echo, kind, address):
    attach_pb2_grpc.add_UpstreamServicer_to_server(echo, server)
    watch = grpc.unary_stream_rpc_method_handler(echo.watch)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Watch": watch})])
    server.add_insecure_port(address)
    return f"python-{kind} upstream on {address}, grpcio {grpc.__version__}"


SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


async def serve_async(address):
    server, echo = grpc.aio.server(), AsyncEcho()
    line = serve(server, echo, "asyncio", address)
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, echo.on_signal, number)
    await server.start()
    print(line, flush=True)
    await server.wait_for_termination()


def serve_threads(address):
    # Each lane and each Watch occupies a thread.
    server, echo = grpc.server(concurrent.futures.ThreadPoolExecutor(64)), ThreadedEcho()
    line = serve(server, echo, "sync", address)
    server.start()
    print(line, flush=True)
    while True:
        echo.on_signal(signal.sigwait(SIGNALS))


if sys.argv[1] == "asyncio":
    asyncio.run(serve_async(sys.argv[2]))
else:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # before there are threads, which inherit it
    serve_threads(sys.argv[2])
