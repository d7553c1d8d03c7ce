#include "deploy/file_step.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "deploy/script.h"
#include "deploy/service.h"

namespace cc::deploy {
namespace {

// As `sha256sum -c` reads it, so that a line tells whether a file is still as it was written.
constexpr std::string_view kWritten = "/var/lib/config-center-deployment/written";

std::string for_basic_expression(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view(R"(\/.*[]^$&)").contains(c)) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// What is there, is not what was written, and is not what shall be.
std::string check_of(const RenderedFile& file, const Secrets& secrets, std::string_view content, bool overwrite) {
  const std::string sum = sha256_hex(content);
  if (file.once) {
    return fmt::format(
        "grep -qs {ours} {written} && exit 0\n"
        "echo 'is made now, and left alone from then on'; exit 1\n",
        fmt::arg("ours", shell_word(fmt::format("  {}$", file.path))), fmt::arg("written", kWritten));
  }
  std::string script = fmt::format(
      "f={path}\n"
      "[ -f $f ] || {{ echo 'is new'; exit 1; }}\n"
      "[ \"$(sha256sum <$f)\" = '{sum}  -' ] && [ \"$(stat -c '%a %U' $f)\" = '{mode:o} {owner}' ] && exit 0\n"
      "status=1\n"
      "if grep -s \"  $f$\" {written} | sha256sum -c --status 2>/dev/null; then :\n"
      "elif grep -qs \"  $f$\" {written}; then echo 'was changed by hand:'; status={by_hand}; fi\n"
      "masked() {{ sed -e '' {masks}; }}\n"
      "diff -u -L \"$f, as it is\" -L \"$f, as it shall be\" <(masked <$f) <(masked{here}) || true\n"
      "exit $status\n",
      fmt::arg("path", shell_word(file.path)), fmt::arg("sum", sum), fmt::arg("mode", file.mode),
      fmt::arg("owner", file.owner), fmt::arg("written", kWritten), fmt::arg("by_hand", overwrite ? 1 : kByHand),
      fmt::arg("masks", masking(file, secrets)), fmt::arg("here", here_document(content)));
  return script;
}

std::string action_of(const RenderedFile& file, std::string_view content, const Run& run) {
  const std::string fresh = file.path + ".config-center-new";
  std::string validator = file.validator;
  if (const auto place = validator.find("{}"); place != std::string::npos) validator.replace(place, 2, fresh);
  std::string script = fmt::format(
      "f={path} new={fresh} kept={kept}{bare}\n"
      "[ -d \"$(dirname $f)\" ] || install -d -m 0755 \"$(dirname $f)\"; install -d -m 0700 {state} \"$(dirname "
      "$kept)\"; touch {written}\n"
      "if [ -e $f ] && [ ! -e $kept ]; then cp -p $f $kept; fi\n"
      "[ -e $kept.written ] || grep \"  $f$\" {written} >$kept.written || true\n"
      "(umask 077; cat >$new{here})\n"
      "chown {owner}:{owner} $new; chmod {mode:o} $new\n",
      fmt::arg("path", shell_word(file.path)), fmt::arg("fresh", shell_word(fresh)), fmt::arg("kept", run.kept()),
      fmt::arg("bare", file.path), fmt::arg("state", kKept), fmt::arg("written", kWritten),
      fmt::arg("owner", file.owner), fmt::arg("mode", file.mode), fmt::arg("here", here_document(content)));
  if (!validator.empty()) {
    script += fmt::format(
        "if ! said=$({} 2>&1); then rm -f $new; echo \"its own program does not take it: $said\" >&2; exit 1; fi\n",
        validator);
  }
  // Whoever writes it itself would write it again when it is stopped later.
  if (file.once) script += fmt::format("systemctl stop {} 2>/dev/null || true\n", unit_of(file.path));
  script += fmt::format(
      "mv $new $f\n"
      "grep -v \"  $f$\" {0} >{0}.new || [ $? = 1 ]\n"
      "echo '{1}  {2}' >>{0}.new; mv {0}.new {0}\n",
      kWritten, sha256_hex(content), file.path);
  if (file.path.starts_with("/etc/systemd/")) script += "systemctl daemon-reload\n";
  return script;
}

std::string undo_of(const RenderedFile& file, const Run& run) {
  std::string script = fmt::format(
      "f={path} kept={kept}{bare}\n"
      "if [ -e $kept ]; then cp -p $kept $f; else rm -f $f; fi\n"
      // Status 1: no line is left. Anything else, such as a full disk, must not pass for it.
      "grep -v \"  $f$\" {written} >{written}.new || [ $? = 1 ]\n"
      "if [ -e $kept.written ]; then cat $kept.written >>{written}.new; fi\n"
      "mv {written}.new {written}\n",
      fmt::arg("path", shell_word(file.path)), fmt::arg("kept", run.kept()), fmt::arg("bare", file.path),
      fmt::arg("written", kWritten));
  if (file.path.starts_with("/etc/systemd/")) script += "systemctl daemon-reload\n";
  return script;
}

}  // namespace

std::string masking(const RenderedFile& file, const Secrets& secrets) {
  if (!file.secret) return "";
  std::set<std::string> masks;
  for (const std::string_view line : split(file.content, '\n')) {
    auto begin = std::string_view::npos;
    for (const std::string& secret : all_of(secrets))
      begin = std::min(begin, line.find(secret));
    if (begin == std::string_view::npos) continue;
    masks.insert(shell_word(fmt::format(R"(s/^\({}\).*/\1••••/)", for_basic_expression(line.substr(0, begin)))));
  }
  std::string options;
  for (const std::string& mask : masks)
    options += " -e " + mask;
  return options.empty() ? " -e 's/.*/••••/'" : options;
}

Step file_step(const std::string& host, const RenderedFile& file, const Secrets& secrets, const Run& run,
               bool overwrite) {
  const std::string content = file.content.ends_with('\n') ? file.content : file.content + "\n";
  return {.host = host,
          .name = "file " + file.path,
          .check = check_of(file, secrets, content, overwrite),
          .action = action_of(file, content, run),
          .undo = undo_of(file, run)};
}

}  // namespace cc::deploy
