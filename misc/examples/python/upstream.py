"""An acknowledging echo upstream for Waymark, built from proto/waymark/v1/attach.proto alone: python3 upstream.py [HOST:PORT]."""

import asyncio
import signal
import sys

import grpc
from waymark.v1 import attach_pb2, attach_pb2_grpc
from waymark.v1.attach_pb2 import UpstreamBatch, UpstreamFrame

PAYLOAD_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 512 * 1024  # of payload; the limit for the whole batch is 1 MiB


class Attachment:
    """One connection while it is attached here. All numbers are offsets from the start of its streams, not of this attachment."""

    def __init__(self, connection, epoch, opened):
        self.ids = {"connection": connection, "epoch": epoch}
        # After a former owner, bytes start where it stopped consuming, and replies continue after those that took effect. (An
        # upstream that splits replies into several frames also skips the first `committed_since_consumed` bytes of its first reply.)
        self.consumed, self.sent = opened.resume_state.first_offset, opened.resume_state.committed
        self.limit = opened.limit
        self.waiting = b""  # bytes still to be echoed
        self.replies_ended = opened.resume_state.replies_ended
        self.fin = False  # the client's FIN is still to be answered

    def answers(self):
        """The frames that may be sent now. Each carries a reply and its `consumed`, so the bridge applies both or neither."""
        while self.waiting and self.sent < self.limit:
            size = min(len(self.waiting), self.limit - self.sent, PAYLOAD_BYTES_MAX)
            reply, self.waiting = self.waiting[:size], self.waiting[size:]
            self.sent += size
            self.consumed += size
            yield UpstreamFrame(**self.ids, payload=reply, consumed=self.consumed)
        if self.fin and not self.waiting:
            self.fin = False
            yield UpstreamFrame(**self.ids, half_close=True)


def on_frame(attachments, frame):
    """The frames that answer a frame of the bridge; `attachments` are those of the lane, by connection."""
    control = frame.WhichOneof("control")
    if control == "ping":
        yield UpstreamFrame(pong=attach_pb2.Pong(id=frame.ping.id))
    elif control == "open":
        attachments[frame.connection] = Attachment(frame.connection, frame.epoch, frame.open)
    attachment = attachments.get(frame.connection)
    if attachment is None or attachment.ids["epoch"] != frame.epoch:
        return  # Late, or for the lane itself.
    attachment.limit = max(attachment.limit, frame.limit)
    attachment.waiting += frame.payload
    attachment.fin |= control == "half_close" and not attachment.replies_ended
    if control == "close":  # Never answered.
        del attachments[frame.connection]
    elif control == "release":  # To be moved. Bytes that wait for credit are not consumed: the next owner gets them again.
        del attachments[frame.connection]
        yield UpstreamFrame(**attachment.ids, consumed=attachment.consumed, released=attach_pb2.Released())
    else:
        yield from attachment.answers()


class Echo(attach_pb2_grpc.UpstreamServicer):
    # One call is a lane, with the frames of many connections. When it ends, the bridge gives them to another upstream.
    async def Attach(self, batches, context):
        yield UpstreamBatch(frames=[UpstreamFrame(settings=attach_pb2.Settings(revision=1))])
        attachments = {}
        async for batch in batches:
            frames, size = [], 0
            for frame in batch.frames:
                for reply in on_frame(attachments, frame):
                    frames.append(reply)
                    size += len(reply.payload)
                    if size >= BATCH_BYTES_MAX:
                        yield UpstreamBatch(frames=frames)
                        frames, size = [], 0
            if frames:
                yield UpstreamBatch(frames=frames)


async def main(address):
    # asyncio, not threads: lanes stay open, and a thread-per-call server would need a worker for each.
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


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4770"))
