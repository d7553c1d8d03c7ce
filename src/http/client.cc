#include "http/client.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/task.h"
#include "base/text.h"
#include "http/head.h"
#include "http/url.h"

namespace cc::http {
namespace {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using Plain = beast::tcp_stream;
using Tls = beast::ssl_stream<beast::tcp_stream>;
using OnBytes = std::function<bool(std::string_view)>;

constexpr std::uint32_t kMaxHeader = 64u << 10;

bool may_be_repeated(const ClientRequest& request) {
  if (request.method == "GET" || request.method == "HEAD") return true;
  return std::ranges::any_of(request.headers,
                             [](const auto& header) { return equal_ignoring_case(header.first, "X-Request-Id"); });
}

// The server ended the connection because of the client's certificate, or for want of one.
bool wants_certificate(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category()) return false;
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  return reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE ||
         reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE || reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA;
}

Result<> use_certificate(ssl::context& context, const ClientOptions& options) {
  if (options.cert_file.empty() && options.key_file.empty()) return {};
  if (options.cert_file.empty() || options.key_file.empty())
    return fail(Code::invalid_argument, "a certificate of the client needs both --cert-file and --key-file");
  error_code error;
  context.use_certificate_chain_file(options.cert_file, error);
  if (!error) context.use_private_key_file(options.key_file, ssl::context::pem, error);
  if (!error) return {};
  return fail(Code::invalid_argument,
              fmt::format("read the certificate {} and the key {}: {}; they must be readable PEM files that belong "
                          "together",
                          options.cert_file, options.key_file, error.message()));
}

}  // namespace

struct Client::Impl {
  ClientOptions options;
  ServerUrl url;
  asio::io_context io{1};
  std::optional<ssl::context> tls_context;
  std::unique_ptr<Plain> plain;  // one of the two while connected
  std::unique_ptr<Tls> tls;
  beast::flat_buffer buffer;

  bool connected() const { return plain || tls; }
  void disconnect() {
    plain.reset();
    tls.reset();
    buffer.clear();
  }
  beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }

  // Starts an asynchronous operation and waits for its end; the stream's own time limit ends it at the latest.
  template <class Start>
  error_code run(Start start) {
    error_code result = asio::error::operation_aborted;
    start([&result](const error_code& error, auto&&...) { result = error; });
    io.restart();
    io.run();
    return result;
  }

  Error failure(const error_code& error, std::string_view doing) const;
  bool server_closed();
  Result<> connect(Mono deadline);
  Result<ClientResponse> once(const ClientRequest& request, const OnBytes& on_bytes, bool& nothing_received);
  Result<ClientResponse> repeat_if_stale(const ClientRequest& request, const OnBytes& on_bytes);
  template <class Stream>
  Result<ClientResponse> exchange(Stream& stream, const ClientRequest& request, const OnBytes& on_bytes,
                                  bool& nothing_received);
  std::string head_of(const ClientRequest& request) const;
};

Error Client::Impl::failure(const error_code& error, std::string_view doing) const {
  if (error == beast::error::timeout) {
    return {Code::timeout,
            fmt::format("{} {}: no answer within {} ms; is the server overloaded, or the time limit short?", doing,
                        options.url, options.timeout.count())};
  }
  if (wants_certificate(error)) {
    return {Code::unauthenticated,
            fmt::format("{} {}: the server asks for a certificate that it trusts ({}); give one with --cert-file and "
                        "--key-file",
                        doing, options.url, error.message())};
  }
  std::string_view advice = "is the server running there, and is the url right?";
  if (error.category() == asio::error::get_ssl_category()) {
    advice = "does the server speak https there?";
  } else if (error == beast_http::error::bad_version || error == beast_http::error::end_of_stream) {
    advice = "is it an HTTP server, and is the url's http or https right?";
  }
  return {Code::unavailable, fmt::format("{} {}: {}; {}", doing, options.url, error.message(), advice)};
}

// Whether a connection that was kept has ended meanwhile.
bool Client::Impl::server_closed() {
  char byte = 0;
  const ssize_t got = ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (tls) return got == 0 || (got < 0 && errno != EAGAIN);  // TLS has messages of its own
  return got >= 0 || errno != EAGAIN;
}

Result<> Client::Impl::connect(Mono deadline) {
  error_code error;
  asio::ip::tcp::resolver resolver(io);
  const auto addresses = resolver.resolve(url.host, url.port, error);
  if (error) return fail(failure(error, "find"));
  auto stream = std::make_unique<Plain>(io);
  stream->expires_at(deadline);
  error = run([&](auto done) { stream->async_connect(addresses, done); });
  if (error) return fail(failure(error, "connect to"));
  stream->socket().set_option(asio::ip::tcp::no_delay(true), error);
  buffer.clear();
  if (!url.tls) {
    plain = std::move(stream);
    return {};
  }
  auto secure = std::make_unique<Tls>(std::move(*stream), *tls_context);
  if (SSL_set_tlsext_host_name(secure->native_handle(), url.host.c_str()) != 1)
    return fail(Code::internal, "OpenSSL refused the server's name");
  secure->set_verify_callback(ssl::host_name_verification(url.host));
  secure->next_layer().expires_at(deadline);
  error = run([&](auto done) { secure->async_handshake(ssl::stream_base::client, done); });
  if (const long verified = SSL_get_verify_result(secure->native_handle()); error && verified != X509_V_OK) {
    return fail(Code::unauthenticated,
                fmt::format("the certificate of {} is not trusted: {}; give the file of the CA that it comes from with "
                            "--ca-file",
                            options.url, X509_verify_cert_error_string(verified)));
  }
  if (error) return fail(failure(error, "speak TLS with"));
  tls = std::move(secure);
  return {};
}

std::string Client::Impl::head_of(const ClientRequest& request) const {
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, url.authority());
  if (!options.bearer.empty()) out += fmt::format("Authorization: Bearer {}\r\n", options.bearer);
  for (const auto& [name, value] : request.headers)
    out += fmt::format("{}: {}\r\n", name, value);
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD"))
    out += fmt::format("Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  return out;
}

template <class Stream>
Result<ClientResponse> Client::Impl::exchange(Stream& stream, const ClientRequest& request, const OnBytes& on_bytes,
                                              bool& nothing_received) {
  const Mono deadline = Mono::clock::now() + options.timeout + request.wait;
  lowest().expires_at(deadline);
  const std::string head = head_of(request);
  // No std::array of two: Asio would go on with an empty first buffer, and Beast's TLS stream would stop at it.
  const std::vector<asio::const_buffer> pieces{asio::buffer(head), asio::buffer(request.body)};
  // A server that refuses a large body answers before it has read it: its answer counts, not the failed write.
  const error_code unsent = run([&](auto done) { asio::async_write(stream, pieces, done); });

  beast_http::response_parser<beast_http::buffer_body> parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(boost::none);
  parser.skip(request.method == "HEAD");
  error_code error = run([&](auto done) { beast_http::async_read_header(stream, buffer, parser, done); });
  nothing_received = !parser.got_some();
  if (error) return fail(failure(unsent && !wants_certificate(error) ? unsent : error, "ask"));

  ClientResponse response;
  response.status = parser.get().result_int();
  for (const auto& field : parser.get()) {
    response.headers.emplace_back(std::string_view(field.name_string().data(), field.name_string().size()),
                                  std::string_view(field.value().data(), field.value().size()));
  }
  std::array<char, 16384> piece;
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    if (on_bytes) lowest().expires_after(options.timeout + request.wait);
    error = run([&](auto done) { beast_http::async_read_some(stream, buffer, parser, done); });
    if (error == beast_http::error::need_buffer) error = {};
    const std::string_view bytes(piece.data(), piece.size() - parser.get().body().size);
    if (!on_bytes || response.status >= 400) {
      response.body += bytes;
    } else if (!bytes.empty() && !on_bytes(bytes)) {
      disconnect();
      return response;
    }
    if (error) return fail(failure(error, "receive from"));
  }
  if (!parser.get().keep_alive() || unsent) disconnect();
  return response;
}

Result<ClientResponse> Client::Impl::once(const ClientRequest& request, const OnBytes& on_bytes,
                                          bool& nothing_received) {
  nothing_received = false;
  if (!connected()) TRYV(connect(Mono::clock::now() + options.timeout));
  auto response =
      tls ? exchange(*tls, request, on_bytes, nothing_received) : exchange(*plain, request, on_bytes, nothing_received);
  if (!response) disconnect();
  return response;
}

// A server may close a kept connection at the moment we use it again.
Result<ClientResponse> Client::Impl::repeat_if_stale(const ClientRequest& request, const OnBytes& on_bytes) {
  if (connected() && server_closed()) disconnect();
  const bool kept = connected();
  bool nothing_received = false;
  auto response = once(request, on_bytes, nothing_received);
  if (response || !kept || !nothing_received || response.error().code == Code::timeout || !may_be_repeated(request))
    return response;
  return once(request, on_bytes, nothing_received);
}

std::string_view ClientResponse::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const auto& header) { return equal_ignoring_case(header.first, name); });
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::make(ClientOptions options) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->url, parse_server_url(options.url));
  impl->options = std::move(options);
  if (impl->url.tls) {
    auto& context = impl->tls_context.emplace(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    context.set_verify_mode(ssl::verify_peer);
    error_code error;
    if (impl->options.ca_file.empty()) {
      context.set_default_verify_paths(error);
    } else {
      context.load_verify_file(impl->options.ca_file, error);
    }
    if (error) {
      return fail(Code::invalid_argument, fmt::format("read the CA file {}: {}; it must be a readable PEM file",
                                                      impl->options.ca_file, error.message()));
    }
    TRYV(use_certificate(context, impl->options));
  }
  return Client(std::move(impl));
}

Result<ClientResponse> Client::send(const ClientRequest& request) {
  return impl_->repeat_if_stale(request, {});
}

Result<ClientResponse> Client::stream(const ClientRequest& request, const OnBytes& on_bytes) {
  return impl_->repeat_if_stale(request, on_bytes);
}

Error error_of(const ClientResponse& response) {
  boost::system::error_code broken;
  const auto body = boost::json::parse(response.body, broken);
  const boost::json::object* const object = broken ? nullptr : body.if_object();
  const boost::json::value* const member = object != nullptr ? object->if_contains("error") : nullptr;
  const boost::json::object* const error = member != nullptr ? member->if_object() : nullptr;
  const boost::json::value* const code = error != nullptr ? error->if_contains("code") : nullptr;
  const boost::json::value* const message = error != nullptr ? error->if_contains("message") : nullptr;
  if (code != nullptr && code->is_string() && message != nullptr && message->is_string()) {
    const boost::json::value* const details = error->if_contains("details");
    return {code_of(std::string_view(code->as_string())), std::string(message->as_string()),
            details != nullptr && !details->is_null() ? boost::json::serialize(*details) : std::string{}};
  }
  return {code_of_status(response.status),
          fmt::format(
              "the server answered {} {}, and not as config-center does; is the url that of a config-center server?",
              response.status, reason_of(response.status))};
}

}  // namespace cc::http
