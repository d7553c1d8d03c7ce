#include "cli/credentials.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <pwd.h>

#include "cli/yaml.h"

namespace cc::cli {
namespace {

namespace json = boost::json;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Path home() {
  if (const char* named = std::getenv("HOME"); named != nullptr && *named != '\0') return named;
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr && user->pw_dir != nullptr ? user->pw_dir : "/";
}

}  // namespace

Credentials Credentials::at_home() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const Path base = config != nullptr && *config != '\0' ? Path(config) : home() / ".config";
  return Credentials(base / "config-center" / "credentials.json");
}

Result<CredentialsContent> Credentials::load() const {
  struct stat status{};
  if (::stat(file_.c_str(), &status) != 0) return CredentialsContent{};
  if ((status.st_mode & 077) != 0) {
    return fail(Code::permission_denied,
                fmt::format("{0} holds tokens and others may read it; run: chmod 600 {0}", file_.string()));
  }
  TRY(const std::string text, read_file(file_));
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) {
    return fail(Code::corruption,
                fmt::format("{} is not what login wrote; remove it and log in again", file_.string()));
  }
  CredentialsContent content;
  content.current = member_text(root, "current");
  if (const json::value* servers = root.as_object().if_contains("servers"); servers && servers->is_object()) {
    for (const auto& [url, each] : servers->as_object()) {
      content.servers[std::string(url)] = {
          .username = member_text(each, "username"),
          .token = member_text(each, "token"),
          .expires_at = member_text(each, "expires_at"),
          .tls = {member_text(each, "ca_file"), member_text(each, "cert_file"), member_text(each, "key_file")}};
    }
  }
  return content;
}

Result<> Credentials::save(const CredentialsContent& content) const {
  json::object servers;
  for (const auto& [url, each] : content.servers) {
    json::object one = {{"username", each.username}, {"token", each.token}, {"expires_at", each.expires_at}};
    for (const auto& [name, file] : {std::pair("ca_file", each.tls.ca), std::pair("cert_file", each.tls.certificate),
                                     std::pair("key_file", each.tls.key)}) {
      if (!file.empty()) one[name] = file;
    }
    servers[url] = std::move(one);
  }
  TRYV(make_directories(file_.parent_path(), 0700));
  return write_file(file_, to_pretty_json({{"current", content.current}, {"servers", servers}}), 0600);
}

Result<std::string> normal_url(std::string_view url) {
  const auto bad = [&] {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not the address of a server; write http://127.0.0.1:8848", url));
  };
  std::string_view rest = url;
  const std::size_t separator = rest.find("://");
  const std::string scheme = separator == std::string_view::npos ? "http" : lower(rest.substr(0, separator));
  if (scheme != "http" && scheme != "https") return bad();
  if (separator != std::string_view::npos) rest.remove_prefix(separator + 3);
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of(" \t\r\n@?#") != std::string_view::npos) return bad();
  const std::size_t slash = rest.find('/');
  std::string host = lower(rest.substr(0, slash));
  const std::size_t after_brackets = host.rfind(']') == std::string::npos ? 0 : host.rfind(']');
  const bool has_port = host.find(':', after_brackets) != std::string::npos;
  if (separator == std::string_view::npos && !has_port) host += ":8848";
  return fmt::format("{}://{}{}", scheme, host, slash == std::string_view::npos ? "" : rest.substr(slash));
}

}  // namespace cc::cli
