#include "consensus/transport.h"

#include <fmt/format.h>

namespace cc::consensus {
namespace {

class Nobody final : public Transport {
 public:
  Nobody() {
    transport_.init = [](raft_uv_transport*, raft_id, const char*) { return 0; };
    transport_.listen = [](raft_uv_transport*, raft_uv_accept_cb) { return 0; };
    transport_.connect = [](raft_uv_transport*, raft_uv_connect*, raft_id, const char*, raft_uv_connect_cb) {
      return RAFT_NOCONNECTION;
    };
    transport_.close = [](raft_uv_transport* self, raft_uv_transport_close_cb done) { done(self); };
  }
  raft_uv_transport* get() override { return &transport_; }

 private:
  raft_uv_transport transport_{};
};

class Tcp final : public Transport {
 public:
  ~Tcp() override {
    if (made_) raft_uv_tcp_close(&transport_);
  }
  Result<> make(uv_loop_t& loop) {
    if (const int error = raft_uv_tcp_init(&transport_, &loop); error != 0) {
      return fail(Code::unavailable, fmt::format("cannot reach peers: {}", raft_strerror(error)));
    }
    made_ = true;
    return {};
  }
  raft_uv_transport* get() override { return &transport_; }

 private:
  raft_uv_transport transport_{};
  bool made_ = false;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_transport(const Options& options, uv_loop_t& loop) {
  if (options.peers.size() <= 1) return std::make_unique<Nobody>();
  auto tcp = std::make_unique<Tcp>();
  TRYV(tcp->make(loop));
  return tcp;
}

}  // namespace cc::consensus
