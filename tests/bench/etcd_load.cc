// Loads etcd through its own gRPC API, in the shape of `config-center bench`: so many clients, each with one request in
// flight, for so long. Prints one JSON object.
//
//   etcd_load --target 127.0.0.1:2379[,…] --operation range|put [--clients 64] [--seconds 5] [--size 256]
//             [--channels 64]
//
// The clients are spread over the targets. One completion queue and one thread drive all clients, so that as little as
// possible of the machine goes to the load.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "etcd.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using etcdserverpb::KV;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

std::string key_of(std::size_t client) {
  return "bench/load/default/" + std::to_string(client);
}

// One request at a time, again and again.
class Client {
 public:
  Client(std::size_t number, const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue& queue, bool put,
         std::size_t size)
      : stub_(KV::NewStub(channel)), queue_(queue), put_(put) {
    put_request_.set_key(key_of(number));
    put_request_.set_value(std::string(size, 'x'));
    range_request_.set_key(put_request_.key());
    range_request_.set_serializable(true);
  }

  void send() {
    context_ = std::make_unique<grpc::ClientContext>();
    sent_ = Clock::now();
    if (put_) {
      put_reader_ = stub_->AsyncPut(context_.get(), put_request_, &queue_);
      put_reader_->Finish(&put_response_, &status_, this);
    } else {
      range_reader_ = stub_->AsyncRange(context_.get(), range_request_, &queue_);
      range_reader_->Finish(&range_response_, &status_, this);
    }
  }

  bool done_well() const { return status_.ok() && (put_ || range_response_.kvs_size() == 1); }
  const grpc::Status& status() const { return status_; }
  std::chrono::nanoseconds took() const { return Clock::now() - sent_; }
  const PutRequest& put_request() const { return put_request_; }
  KV::Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<KV::Stub> stub_;
  grpc::CompletionQueue& queue_;
  const bool put_;
  PutRequest put_request_;
  RangeRequest range_request_;
  PutResponse put_response_;
  RangeResponse range_response_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<PutResponse>> put_reader_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<RangeResponse>> range_reader_;
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::Status status_;
  Clock::time_point sent_;
};

double milliseconds_at(const std::vector<std::chrono::nanoseconds>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return std::chrono::duration<double, std::milli>(sorted.at(at)).count();
}

int run(std::map<std::string, std::string> options) {
  const bool put = options["operation"] == "put";
  const std::size_t clients = std::stoul(options["clients"]), channels = std::stoul(options["channels"]);
  const std::size_t size = std::stoul(options["size"]);
  const std::chrono::duration<double> length(std::stod(options["seconds"]));

  std::vector<std::string> targets;
  std::istringstream list(options["target"]);
  for (std::string target; std::getline(list, target, ',');)
    targets.push_back(target);

  grpc::CompletionQueue queue;
  std::vector<std::shared_ptr<grpc::Channel>> open;
  for (std::size_t i = 0; i < channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("config_center.channel", static_cast<int>(i));  // a connection of its own
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    open.push_back(
        grpc::CreateCustomChannel(targets.at(i % targets.size()), grpc::InsecureChannelCredentials(), arguments));
  }
  std::vector<std::unique_ptr<Client>> all;
  for (std::size_t i = 0; i < clients; ++i) {
    all.push_back(std::make_unique<Client>(i, open.at(i % channels), queue, put, size));
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    PutResponse response;
    const grpc::Status status = all.back()->stub().Put(&context, all.back()->put_request(), &response);
    if (!status.ok()) {
      std::fprintf(stderr, "etcd_load: %s does not answer: %s\n", options["target"].c_str(),
                   status.error_message().c_str());
      return 1;
    }
  }

  std::vector<std::chrono::nanoseconds> took;
  took.reserve(1 << 20);
  std::size_t failed = 0, in_flight = clients;
  const Clock::time_point began = Clock::now(), end = began + std::chrono::duration_cast<Clock::duration>(length);
  for (const auto& client : all)
    client->send();
  Clock::time_point last = began;
  void* tag = nullptr;
  for (bool ok = false; in_flight > 0 && queue.Next(&tag, &ok);) {
    Client& client = *static_cast<Client*>(tag);
    if (ok && client.done_well()) {
      took.push_back(client.took());
    } else if (++failed == 1) {
      std::fprintf(stderr, "etcd_load: %s\n", client.status().error_message().c_str());
    }
    last = Clock::now();
    if (last < end) {
      client.send();
    } else {
      --in_flight;
    }
  }
  std::sort(took.begin(), took.end());
  const double seconds = std::chrono::duration<double>(last - began).count();
  std::printf(
      "{\"operation\": \"%s\", \"clients\": %zu, \"seconds\": %.3f, \"done\": %zu, \"failed\": %zu, "
      "\"per_second\": %.1f, \"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
      options["operation"].c_str(), clients, seconds, took.size(), failed, static_cast<double>(took.size()) / seconds,
      milliseconds_at(took, 0.5), milliseconds_at(took, 0.9), milliseconds_at(took, 0.99), milliseconds_at(took, 1));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options = {{"target", "127.0.0.1:2379"},
                                                {"operation", "range"},
                                                {"clients", "64"},
                                                {"seconds", "5"},
                                                {"size", "256"},
                                                {"channels", "64"}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (!name.starts_with("--") || !options.contains(name.substr(2))) {
      std::fprintf(stderr, "etcd_load: there is no option %s\n", argv[i]);
      return 2;
    }
    options[name.substr(2)] = argv[i + 1];
  }
  return run(options);
}
