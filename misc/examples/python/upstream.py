"""An echo upstream for Waymark from proto/waymark/v1/attach.proto alone: python3 upstream.py [HOST:PORT]."""

import asyncio
import signal
import sys

import grpc
from waymark.v1 import attach_pb2, attach_pb2_grpc


def answer(frame):
    """The frame that answers one of the bridge's, or None."""
    control = frame.WhichOneof("control")
    if control == "half_close":  # The client's FIN came after all its bytes, so ours goes after all our answers.
        return attach_pb2.UpstreamFrame(connection=frame.connection, epoch=frame.epoch, half_close=True)
    if control is None and frame.payload:  # Neither control nor a mere limit: data.
        return attach_pb2.UpstreamFrame(connection=frame.connection, epoch=frame.epoch, payload=frame.payload)
    return None


class Echo(attach_pb2_grpc.UpstreamServicer):
    # One call is a lane: frames of many connections. Without Settings nothing else is expected of an upstream.
    async def Attach(self, batches, context):
        async for batch in batches:
            frames = [reply for reply in map(answer, batch.frames) if reply is not None]
            if frames:
                yield attach_pb2.UpstreamBatch(frames=frames)


async def main(address):
    # asyncio, not threads: a lane stays open for ever, and a thread-per-call server would need a worker for each.
    server = grpc.aio.server()
    attach_pb2_grpc.add_UpstreamServicer_to_server(Echo(), server)
    server.add_insecure_port(address)
    await server.start()
    print(f"python upstream on {address}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop(grace=0)


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4770"))
