#include "consensus/request.h"

#include <memory>
#include <utility>

#include "consensus/packed.h"

namespace cc::consensus {
namespace {

enum class What : std::uint8_t { message = 1, request, reply };

Result<Request> decode_request(Unpacker in) {
  Request request;
  const auto kind = in.get<std::uint8_t>();
  request.kind = static_cast<Request::Kind>(kind);
  request.id = in.get<std::uint64_t>();
  request.patience = Log::Patience(in.get<std::uint32_t>());
  switch (request.kind) {
    case Request::Kind::propose:
      request.command = in.get_bytes();
      break;
    case Request::Kind::barrier:
      break;
    case Request::Kind::change: {
      const auto change = in.get<std::uint8_t>();
      if (change > static_cast<std::uint8_t>(Change::Kind::step_down)) return not_understood();
      request.change_to.kind = static_cast<Change::Kind>(change);
      request.change_to.node = in.get<NodeId>();
      request.change_to.address = in.get_bytes();
      break;
    }
    default:
      return not_understood();
  }
  if (!in.at_end()) return not_understood();
  return request;
}

Result<Reply> decode_reply(Unpacker in) {
  Reply reply;
  reply.id = in.get<std::uint64_t>();
  reply.index = in.get<Index>();
  const auto code = in.get<std::uint8_t>();
  std::string text(in.get_bytes());
  if (!in.at_end() || code > static_cast<std::uint8_t>(Code::internal) + 1) return not_understood();
  if (code == 0) {
    reply.outcome = std::move(text);
  } else {
    reply.outcome = std::unexpected(Error{static_cast<Code>(code - 1), std::move(text)});
  }
  return reply;
}

}  // namespace

std::string encode(const Message& message) {
  constexpr char kWhat = static_cast<char>(What::message);
  return message.encode({&kWhat, 1});
}

std::string encode(const Request& request) {
  Packer out({}, 32 + request.command.size());
  out.put(static_cast<std::uint8_t>(What::request));
  out.put(static_cast<std::uint8_t>(request.kind));
  out.put(request.id);
  out.put(static_cast<std::uint32_t>(request.patience.count()));
  if (request.kind == Request::Kind::propose) out.put(request.command);
  if (request.kind == Request::Kind::change) {
    out.put(static_cast<std::uint8_t>(request.change_to.kind));
    out.put(request.change_to.node);
    out.put(request.change_to.address);
  }
  return out.take();
}

std::string encode(const Reply& reply) {
  Packer out;
  out.put(static_cast<std::uint8_t>(What::reply));
  out.put(reply.id);
  out.put(reply.index);
  out.put(static_cast<std::uint8_t>(reply.outcome ? 0 : static_cast<std::uint8_t>(reply.outcome.error().code) + 1));
  out.put(reply.outcome ? *reply.outcome : reply.outcome.error().message);
  return out.take();
}

Result<Received> decode(std::string bytes) {
  Received out{.bytes = std::make_shared<const std::string>(std::move(bytes)), .what = Message{}};
  const std::string_view all = *out.bytes;
  if (all.empty()) return not_understood();
  switch (static_cast<What>(all[0])) {
    case What::message: {
      TRY(out.what, Message::decode(out.bytes, 1));
      return out;
    }
    case What::request: {
      TRY(out.what, decode_request(Unpacker(all.substr(1))));
      return out;
    }
    case What::reply: {
      TRY(out.what, decode_reply(Unpacker(all.substr(1))));
      return out;
    }
  }
  return not_understood();
}

}  // namespace cc::consensus
