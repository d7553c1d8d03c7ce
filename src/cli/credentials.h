// Tokens kept between commands, one per server: $XDG_CONFIG_HOME/config-center/credentials.json, mode 0600.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace cc::cli {

// PEM files for https, with absolute paths where they are kept; empty: none.
struct TlsFiles {
  std::string ca;                // of who signs the server's certificate
  std::string certificate, key;  // of the client
  bool operator==(const TlsFiles&) const = default;
};

struct Credential {
  std::string username, token, expires_at;
  TlsFiles tls;
  bool operator==(const Credential&) const = default;
};

struct CredentialsContent {
  std::string current;  // the server that was logged in to last; empty: none
  std::map<std::string, Credential, std::less<>> servers;
  bool operator==(const CredentialsContent&) const = default;
};

class Credentials {
 public:
  explicit Credentials(Path file) : file_(std::move(file)) {}
  // The file of this user: below $XDG_CONFIG_HOME, else below .config in their home.
  static Credentials at_home();

  // Empty content when there is no file. Refuses a file that others may read.
  Result<CredentialsContent> load() const;
  Result<> save(const CredentialsContent& content) const;
  const Path& file() const { return file_; }

 private:
  Path file_;
};

// The form under which a server is kept: scheme and host in lower case, no slash at the end. A host without a scheme
// is http, and then on port 8848 unless it says another. Wrong usage for what is no address of a server.
Result<std::string> normal_url(std::string_view url);

}  // namespace cc::cli
