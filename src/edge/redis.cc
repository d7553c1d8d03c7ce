#include "edge/redis.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "base/deadline.h"
#include "base/text.h"

namespace cc::edge {
namespace {

using std::chrono::milliseconds;

// How soon a request to stop is seen by who waits for a server.
constexpr milliseconds kSlice{50};

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};

Reply reply_of(const redisReply& from) {
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      reply.kind = from.type == REDIS_REPLY_ERROR ? Reply::Kind::error : Reply::Kind::text;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::number;
      reply.number = from.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::list;
      reply.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i)
        reply.items.push_back(reply_of(*from.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

}  // namespace

std::string to_string(const HostAndPort& address) {
  return host_and_port(address.host, address.port);
}

struct Redis::Impl {
  HostAndPort address;
  Patience patience;
  std::unique_ptr<redisContext, FreeContext> context{};
  std::size_t asked = 0;    // commands that were added and not answered
  std::size_t refused = 0;  // by hiredis, which had no memory for them

  std::unexpected<Error> failed(std::string_view why) const {
    return fail(Code::unavailable, fmt::format("Redis at {}: {}", to_string(address), printable(why, 300)));
  }
  // What Redis answers itself.
  std::unexpected<Error> refused_by_redis(std::string_view why) const {
    const bool password = why.starts_with("NOAUTH") || why.starts_with("WRONGPASS") || why.starts_with("ERR AUTH");
    return failed(fmt::format("{}{}", why,
                              password ? "; give its password, cache.password (of a Sentinel "
                                         "cache.sentinel_password)"
                                       : ""));
  }
  std::unexpected<Error> broken() const { return failed(context->err != 0 ? context->errstr : "no connection"); }

  Deadline deadline() const { return {patience.clock, patience.clock.now() + patience.each, patience.stop}; }

  // Until the socket has what is waited for.
  Result<> wait_for(short events, const Deadline& until) const {
    for (;;) {
      pollfd socket{.fd = context->fd, .events = events, .revents = 0};
      const auto left = until.left();
      if (left == milliseconds::zero())
        return failed(patience.stop.stop_requested() ? "no longer needed" : "does not answer in time");
      const int ready = ::poll(&socket, 1, static_cast<int>(std::min(left, kSlice).count()));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return failed(std::strerror(errno));
    }
  }

  Result<> open(const Deadline& until) {
    context.reset(redisConnectNonBlock(address.host.c_str(), address.port));
    if (!context) return failed("no memory");
    if (context->err != 0) return broken();
    TRYV(wait_for(POLLOUT, until));
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(context->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return failed(std::strerror(error));
    return {};
  }

  void add(std::initializer_list<std::string_view> command) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : command) {
      words.push_back(word.data() != nullptr ? word.data() : "");
      sizes.push_back(word.size());
    }
    const int added = redisAppendCommandArgv(context.get(), static_cast<int>(words.size()), words.data(), sizes.data());
    ++(added == REDIS_OK ? asked : refused);
  }

  // What has arrived. Sends along: a server whose answers nobody reads takes no more commands.
  Result<std::vector<Reply>> exchange() {
    const Deadline until = deadline();
    std::vector<Reply> replies;
    replies.reserve(asked);
    int sent = 0;
    if (refused != 0) return failed("no memory");
    while (replies.size() < asked) {
      if (sent == 0 && redisBufferWrite(context.get(), &sent) != REDIS_OK) return broken();
      TRYV(wait_for(static_cast<short>(sent == 0 ? POLLIN | POLLOUT : POLLIN), until));
      if (redisBufferRead(context.get()) != REDIS_OK) return broken();
      for (void* next = nullptr; replies.size() < asked; next = nullptr) {
        if (redisGetReplyFromReader(context.get(), &next) != REDIS_OK) return broken();
        if (next == nullptr) break;
        const std::unique_ptr<void, FreeReply> reply(next);
        replies.push_back(reply_of(*static_cast<redisReply*>(next)));
      }
    }
    asked = 0;
    return replies;
  }
};

Redis::Redis(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Redis::Redis(Redis&&) noexcept = default;
Redis& Redis::operator=(Redis&&) noexcept = default;
Redis::~Redis() = default;

Result<Redis> Redis::connect(const HostAndPort& address, std::string_view password, Patience patience) {
  auto impl = std::make_unique<Impl>(Impl{.address = address, .patience = std::move(patience)});
  TRYV(impl->open(impl->deadline()));
  Redis redis(std::move(impl));
  if (!password.empty()) TRYV(redis.ask({"AUTH", password}));
  return redis;
}

void Redis::add(std::initializer_list<std::string_view> command) {
  impl_->add(command);
}

Result<std::vector<Reply>> Redis::exchange() {
  return impl_->exchange();
}

Result<Reply> Redis::ask(std::initializer_list<std::string_view> command) {
  add(command);
  TRY(auto replies, exchange());
  if (replies.back().kind == Reply::Kind::error) return impl_->refused_by_redis(replies.back().text);
  return std::move(replies.back());
}

void Redis::begin() {
  add({"MULTI"});
}

Result<bool> Redis::commit() {
  add({"EXEC"});
  TRY(const auto replies, exchange());
  // Why a command was not queued says more than the EXECABORT that follows from it.
  for (const Reply& reply : replies) {
    if (reply.kind == Reply::Kind::error) return impl_->refused_by_redis(reply.text);
  }
  for (const Reply& done : replies.back().items) {
    if (done.kind == Reply::Kind::error) return impl_->refused_by_redis(done.text);
  }
  return replies.back().kind == Reply::Kind::list;
}

const HostAndPort& Redis::address() const {
  return impl_->address;
}

}  // namespace cc::edge
