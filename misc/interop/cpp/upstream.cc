// An echoing upstream on gRPC C++ that acknowledges: upstream HOST:PORT. See ../README.md.
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "waymark/v1/attach.grpc.pb.h"

namespace {

using waymark::v1::BridgeBatch;
using waymark::v1::BridgeFrame;
using waymark::v1::UpstreamBatch;
using waymark::v1::UpstreamFrame;
using Stream = grpc::ServerReaderWriter<UpstreamBatch, BridgeBatch>;

constexpr size_t kPayloadMax = 64 << 10;
constexpr size_t kBatchMax = 512 << 10;
constexpr auto kDrainMax = std::chrono::seconds(15);

[[noreturn]] void Broken(const std::string& what) {
  std::cerr << "BROKEN: " << what << std::endl;
  _exit(1);
}

// One connection while it is attached here. All numbers are offsets from the start of its streams.
struct Attachment {
  uint32_t epoch = 0;
  uint64_t consumed = 0, sent = 0, limit = 0;
  std::string waiting;
  bool replies_ended = false, fin = false;
};

// One call. The mutex guards the attachments and orders what is sent.
class Lane {
 public:
  explicit Lane(Stream* stream) : stream_(stream) {}

  void Start(bool draining) {
    std::lock_guard<std::mutex> lock(mutex_);
    UpstreamBatch batch;
    batch.add_frames()->mutable_settings()->set_revision(1);
    if (draining) batch.add_frames()->mutable_draining();
    stream_->Write(batch);
  }

  void Drain() {
    std::lock_guard<std::mutex> lock(mutex_);
    UpstreamBatch batch;
    batch.add_frames()->mutable_draining();
    stream_->Write(batch);
  }

  size_t attached() {
    std::lock_guard<std::mutex> lock(mutex_);
    return attachments_.size();
  }

  bool OnBatch(const BridgeBatch& batch) {
    std::lock_guard<std::mutex> lock(mutex_);
    is_open_ = true;
    for (const BridgeFrame& frame : batch.frames()) OnFrame(frame);
    return Flush();
  }

 private:
  bool Flush() {
    if (answers_.frames_size() > 0) is_open_ = stream_->Write(answers_) && is_open_;
    answers_.Clear();
    size_ = 0;
    return is_open_;
  }

  void OnFrame(const BridgeFrame& frame) {
    if (frame.has_ping()) answers_.add_frames()->mutable_pong()->set_id(frame.ping().id());
    if (frame.has_open()) {
      const auto& resumed = frame.open().resume_state();
      Attachment& opened = attachments_[frame.connection()] = Attachment();
      opened.epoch = frame.epoch();
      opened.consumed = resumed.first_offset();
      opened.sent = resumed.committed();
      opened.limit = frame.open().limit();
      opened.replies_ended = resumed.replies_ended();
    }
    auto found = attachments_.find(frame.connection());
    if (found == attachments_.end() || found->second.epoch != frame.epoch()) return;  // Late, or for the lane itself.
    Attachment& to = found->second;
    to.limit = std::max<uint64_t>(to.limit, frame.limit());
    if (!frame.payload().empty()) {
      if (frame.offset() != to.consumed + to.waiting.size()) Broken("offset " + std::to_string(frame.offset()));
      to.waiting += frame.payload();
    }
    if (frame.has_close()) {
      attachments_.erase(found);
    } else if (frame.has_release()) {  // What waits for credit goes to the next owner.
      Answer(frame.connection(), to)->mutable_released();
      attachments_.erase(found);
    } else {
      if (frame.has_half_close()) to.fin = !to.replies_ended;
      Echo(frame.connection(), &to);
    }
  }

  void Echo(uint64_t connection, Attachment* to) {
    size_t done = 0;
    while (done < to->waiting.size() && to->sent < to->limit) {
      size_t size = std::min({to->waiting.size() - done, kPayloadMax, static_cast<size_t>(to->limit - to->sent)});
      to->sent += size;
      to->consumed += size;
      Answer(connection, *to)->set_payload(to->waiting.data() + done, size);
      done += size;
      size_ += size;
      if (size_ >= kBatchMax) Flush();
    }
    to->waiting.erase(0, done);
    if (to->fin && to->waiting.empty()) {
      to->fin = false;
      Answer(connection, *to)->set_half_close(true);
    }
  }

  UpstreamFrame* Answer(uint64_t connection, const Attachment& from) {
    UpstreamFrame* answer = answers_.add_frames();
    answer->set_connection(connection);
    answer->set_epoch(from.epoch);
    answer->set_consumed(from.consumed);
    return answer;
  }

  Stream* const stream_;
  std::mutex mutex_;
  std::map<uint64_t, Attachment> attachments_;
  UpstreamBatch answers_;
  size_t size_ = 0;
  bool is_open_ = true;
};

class Upstream final : public waymark::v1::Upstream::Service {
 public:
  grpc::Status Attach(grpc::ServerContext*, Stream* stream) override {
    Lane lane(stream);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      lane.Start(is_draining_);
      lanes_.insert(&lane);
    }
    BridgeBatch batch;
    while (stream->Read(&batch) && lane.OnBatch(batch)) {
    }
    std::lock_guard<std::mutex> lock(mutex_);
    lanes_.erase(&lane);
    return grpc::Status::OK;
  }

  // Tells every lane, and waits until the bridge has moved the connections.
  void Drain() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      is_draining_ = true;
      for (Lane* lane : lanes_) lane->Drain();
    }
    const auto end = std::chrono::steady_clock::now() + kDrainMax;
    while (attached() > 0) {
      if (std::chrono::steady_clock::now() > end) Broken(std::to_string(attached()) + " connections are still attached");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // For what is still being sent.
  }

 private:
  size_t attached() {
    std::lock_guard<std::mutex> lock(mutex_);
    size_t count = 0;
    for (Lane* lane : lanes_) count += lane->attached();
    return count;
  }

  std::mutex mutex_;
  std::set<Lane*> lanes_;
  bool is_draining_ = false;
};

}  // namespace

int main(int, char** arguments) {
  sigset_t signals;
  sigemptyset(&signals);
  for (int each : {SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Inherited by gRPC's threads.
  grpc::EnableDefaultHealthCheckService(true);
  Upstream upstream;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(arguments[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&upstream);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) Broken(std::string("cannot listen on ") + arguments[1]);
  std::cout << "cpp upstream on " << arguments[1] << ", gRPC C++ " << grpc::Version() << std::endl;
  for (int received = 0; received != SIGTERM;) {
    sigwait(&signals, &received);
    if (received != SIGTERM) server->GetHealthCheckService()->SetServingStatus(received == SIGUSR2);
  }
  upstream.Drain();
  _exit(0);
}
