// An echoing upstream on grpc-go that acknowledges: upstream HOST:PORT [MAX_CONNECTION_AGE]. See ../README.md.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"waymark.dev/proto/waymark/v1"
)

const (
	payloadMax = 64 << 10
	batchMax   = 512 << 10
	drainMax   = 15 * time.Second
)

// attachment is one connection while it is attached here. All numbers are offsets from the start of its streams.
type attachment struct {
	connection            uint64
	epoch                 uint32
	consumed, sent, limit uint64
	waiting               []byte
	repliesEnded, fin     bool
}

// lane is one call. Its mutex guards the attachments and orders what is sent.
type lane struct {
	mu          sync.Mutex
	stream      waymarkv1.Upstream_AttachServer
	attachments map[uint64]*attachment
}

type upstream struct {
	waymarkv1.UnimplementedUpstreamServer
	mu       sync.Mutex
	lanes    map[*lane]bool
	draining bool
}

func (u *upstream) Attach(stream waymarkv1.Upstream_AttachServer) error {
	l := &lane{stream: stream, attachments: map[uint64]*attachment{}}
	settings := &waymarkv1.UpstreamFrame{Control: &waymarkv1.UpstreamFrame_Settings{Settings: &waymarkv1.Settings{Revision: 1}}}
	if err := l.send(settings); err != nil {
		return err
	}
	u.mu.Lock()
	u.lanes[l] = true
	draining := u.draining
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		delete(u.lanes, l)
		u.mu.Unlock()
	}()
	if draining {
		l.drain()
	}
	for {
		batch, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = l.onBatch(batch)
		}
		if err != nil {
			return err
		}
	}
}

func (l *lane) send(frames ...*waymarkv1.UpstreamFrame) error {
	return l.stream.Send(&waymarkv1.UpstreamBatch{Frames: frames})
}

func (l *lane) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.send(&waymarkv1.UpstreamFrame{Control: &waymarkv1.UpstreamFrame_Draining{Draining: &waymarkv1.Draining{}}})
}

func (l *lane) onBatch(batch *waymarkv1.BridgeBatch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var frames []*waymarkv1.UpstreamFrame
	size := 0
	for _, frame := range batch.Frames {
		for _, answer := range l.onFrame(frame) {
			frames = append(frames, answer)
			size += len(answer.Payload)
			if size >= batchMax {
				if err := l.send(frames...); err != nil {
					return err
				}
				frames, size = nil, 0
			}
		}
	}
	if len(frames) == 0 {
		return nil
	}
	return l.send(frames...)
}

func (l *lane) onFrame(frame *waymarkv1.BridgeFrame) []*waymarkv1.UpstreamFrame {
	if ping := frame.GetPing(); ping != nil {
		pong := &waymarkv1.UpstreamFrame_Pong{Pong: &waymarkv1.Pong{Id: ping.Id}}
		return []*waymarkv1.UpstreamFrame{{Control: pong}}
	}
	if open := frame.GetOpen(); open != nil {
		resumed := open.GetResumeState()
		l.attachments[frame.Connection] = &attachment{
			connection:   frame.Connection,
			epoch:        frame.Epoch,
			consumed:     resumed.GetFirstOffset(),
			sent:         resumed.GetCommitted(),
			limit:        open.Limit,
			repliesEnded: resumed.GetRepliesEnded(),
		}
	}
	a := l.attachments[frame.Connection]
	if a == nil || a.epoch != frame.Epoch {
		return nil // Late, or for the lane itself.
	}
	if limit := frame.GetLimit(); limit > a.limit {
		a.limit = limit
	}
	if len(frame.Payload) > 0 {
		if expected := a.consumed + uint64(len(a.waiting)); frame.Offset != expected {
			log.Fatalf("BROKEN: offset %d, expected %d", frame.Offset, expected)
		}
		a.waiting = append(a.waiting, frame.Payload...)
	}
	switch frame.Control.(type) {
	case *waymarkv1.BridgeFrame_Close:
		delete(l.attachments, a.connection)
		return nil
	case *waymarkv1.BridgeFrame_Release: // What waits for credit goes to the next owner.
		delete(l.attachments, a.connection)
		answer := a.frame()
		answer.Control = &waymarkv1.UpstreamFrame_Released{Released: &waymarkv1.Released{}}
		return []*waymarkv1.UpstreamFrame{answer}
	case *waymarkv1.BridgeFrame_HalfClose:
		a.fin = !a.repliesEnded
	}
	return a.answers()
}

func (a *attachment) frame() *waymarkv1.UpstreamFrame {
	return &waymarkv1.UpstreamFrame{Connection: a.connection, Epoch: a.epoch, Consumed: a.consumed}
}

// answers returns the frames that may be sent now.
func (a *attachment) answers() (frames []*waymarkv1.UpstreamFrame) {
	for len(a.waiting) > 0 && a.sent < a.limit {
		size := len(a.waiting)
		if size > payloadMax {
			size = payloadMax
		}
		if room := a.limit - a.sent; uint64(size) > room {
			size = int(room)
		}
		a.sent += uint64(size)
		a.consumed += uint64(size)
		answer := a.frame()
		answer.Payload = a.waiting[:size:size]
		a.waiting = a.waiting[size:]
		frames = append(frames, answer)
	}
	if a.fin && len(a.waiting) == 0 {
		a.fin = false
		answer := a.frame()
		answer.HalfClose = true
		frames = append(frames, answer)
	}
	return frames
}

// drain tells every lane, waits until the bridge has moved the connections, and exits.
func (u *upstream) drain() {
	u.mu.Lock()
	u.draining = true
	for l := range u.lanes {
		l.drain()
	}
	u.mu.Unlock()
	for end := time.Now().Add(drainMax); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if u.attached() == 0 {
			time.Sleep(100 * time.Millisecond) // for what is still being sent
			os.Exit(0)
		}
	}
	log.Fatalf("BROKEN: %d connections are still attached", u.attached())
}

func (u *upstream) attached() (count int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for l := range u.lanes {
		l.mu.Lock()
		count += len(l.attachments)
		l.mu.Unlock()
	}
	return count
}

func main() {
	address := os.Args[1]
	var options []grpc.ServerOption
	if len(os.Args) > 2 {
		age, err := time.ParseDuration(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: age, MaxConnectionAgeGrace: 10 * time.Second}))
	}
	server := grpc.NewServer(options...)
	u := &upstream{lanes: map[*lane]bool{}}
	waymarkv1.RegisterUpstreamServer(server, u)
	watched := health.NewServer()
	healthpb.RegisterHealthServer(server, watched)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for received := range signals {
			switch received {
			case syscall.SIGUSR1:
				watched.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
			case syscall.SIGUSR2:
				watched.SetServingStatus("", healthpb.HealthCheckResponse_SERVING)
			default:
				go u.drain()
			}
		}
	}()
	fmt.Printf("go upstream on %s, grpc-go %s\n", address, grpc.Version)
	log.Fatal(server.Serve(listener))
}
