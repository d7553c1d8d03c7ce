// Text for a shell on a host.
#pragma once

#include <string>
#include <string_view>

namespace cc::deploy {

// One word, whatever is in it.
std::string shell_word(std::string_view text);

// Redirects what is before it from `content`, byte for byte but for a line break that is added at the end when there is
// none: "cat >file" + here_document(content).
std::string here_document(std::string_view content);

// The same script run by bash as root, which ends it at the first command that fails: through sudo, without a question,
// when the user is not root.
std::string as_root(std::string_view script);

// "http_get ADDRESS PORT PATH" in scripts that begin with this: succeeds when the answer is 200, and prints the body.
// Hosts need not have curl.
inline constexpr std::string_view kHttpGet = R"sh(
http_get() {
  { exec 9<>"/dev/tcp/$1/$2"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" "$1" >&9
  local answer; answer=$(timeout 10 cat <&9); exec 9>&-
  case "$answer" in HTTP/*" 200 "*) printf '%s\n' "$answer" | sed '1,/^\r*$/d' ;; *) return 1 ;; esac
}
)sh";

}  // namespace cc::deploy
