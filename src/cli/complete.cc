#include "cli/complete.h"

#include <algorithm>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

#include "cli/help_format.h"

namespace cc::cli {
namespace {

// What options and arguments take, by the name that --help shows for it.
const std::map<std::string_view, Completion::Ask> kAsked = {
    {"KEY", Completion::Ask::config_keys},   {"KEY|PREFIX", Completion::Ask::config_keys},
    {"WHERE", Completion::Ask::config_keys}, {"FILE", Completion::Ask::files},
    {"DIR|ZIP", Completion::Ask::files},     {"ENV", Completion::Ask::environments},
    {"APP", Completion::Ask::applications},  {"USER", Completion::Ask::users}};
const std::map<std::string_view, std::vector<std::string_view>> kChoices = {
    {"FORM", {"table", "json", "yaml"}},
    {"FORMAT", {"properties", "yaml", "json", "toml", "xml", "text"}},
    {"ROLE", {"admin", "developer", "publisher", "operator", "viewer"}},
    {"SHELL", {"bash", "zsh"}},
    {"A..B", {"published..draft", "1..2"}}};

const CLI::Option* find_option(const CLI::App* command, const std::string& word) {
  for (; command != nullptr; command = command->get_parent())
    for (const CLI::Option* option : command->get_options())
      if (!option->get_positional() && option->check_name(word)) return option;
  return nullptr;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& command) {
  std::vector<const CLI::App*> out;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; }))
    if (!each->get_group().empty()) out.push_back(each);
  return out;
}

// The first sentence is enough beside a candidate.
std::string brief(const std::string& meaning) {
  return meaning.substr(0, meaning.find(';'));
}

void add_if(std::vector<Candidate>& out, std::string text, std::string description, std::string_view start) {
  if (text.starts_with(start)) out.push_back({std::move(text), std::move(description)});
}

void add_value(Completion& completion, const CLI::Option& option, std::string_view start) {
  const std::string type = value_name(option);
  if (const auto asked = kAsked.find(type); asked != kAsked.end()) completion.ask = asked->second;
  if (const auto choices = kChoices.find(type); choices != kChoices.end())
    for (const std::string_view each : choices->second)
      add_if(completion.candidates, std::string(each), "", start);
}

void add_options(Completion& completion, const CLI::App& command, std::string_view start) {
  std::set<std::string> seen;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      if (at != &command && option->get_group() != "Options of every command") continue;
      for (const std::string& name : option->get_lnames())
        if (seen.insert(name).second)
          add_if(completion.candidates, "--" + name, brief(option->get_description()), start);
    }
  }
}

void add_argument(Completion& completion, const CLI::App& command, std::size_t before, std::string_view start) {
  std::vector<const CLI::Option*> arguments;
  for (const CLI::Option* option : command.get_options())
    if (option->get_positional()) arguments.push_back(option);
  if (arguments.empty()) return;
  if (before < arguments.size()) return add_value(completion, *arguments[before], start);
  if (arguments.back()->get_items_expected_max() > 1) add_value(completion, *arguments.back(), start);
}

}  // namespace

Completion complete(const CLI::App& root, const std::vector<std::string>& words) {
  Completion completion;
  const CLI::App* command = &root;
  const CLI::Option* waiting = nullptr;  // an option whose value comes next
  std::size_t arguments = 0;
  const auto note = [&](const CLI::Option& option, std::string_view value) {
    if (option.check_lname("server")) completion.server = value;
    if (option.check_lname("ca-file")) completion.tls.ca = value;
    if (option.check_lname("cert-file")) completion.tls.certificate = value;
    if (option.check_lname("key-file")) completion.tls.key = value;
  };
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (waiting != nullptr) {
      note(*waiting, word);
      waiting = nullptr;
    } else if (word.starts_with('-') && word != "-") {
      const std::size_t equals = word.find('=');
      const CLI::Option* option = find_option(command, word.substr(0, equals));
      if (option == nullptr || !takes_value(*option)) continue;
      if (equals == std::string::npos) {
        waiting = option;
      } else {
        note(*option, std::string_view(word).substr(equals + 1));
      }
    } else if (const auto all = subcommands_of(*command); !all.empty()) {
      const auto found = std::ranges::find(all, word, [](const CLI::App* each) { return each->get_name(); });
      if (found == all.end()) return completion;
      command = *found;
    } else {
      ++arguments;
    }
  }

  completion.typed = words.empty() ? "" : words.back();
  std::string& typed = completion.typed;
  if (waiting != nullptr) {
    add_value(completion, *waiting, typed);
  } else if (const std::size_t equals = typed.find('='); typed.starts_with("--") && equals != std::string::npos) {
    const CLI::Option* option = find_option(command, typed.substr(0, equals));
    completion.before = typed.substr(0, equals + 1);
    typed.erase(0, equals + 1);
    if (option != nullptr && takes_value(*option)) add_value(completion, *option, typed);
  } else if (typed.starts_with('-')) {
    add_options(completion, *command, typed);
  } else if (const auto all = subcommands_of(*command); !all.empty()) {
    for (const CLI::App* each : all)
      add_if(completion.candidates, each->get_name(), brief(each->get_description()), typed);
  } else {
    add_argument(completion, *command, arguments, typed);
  }
  return completion;
}

std::vector<Candidate> next_steps(std::string_view typed, const std::vector<std::string>& keys) {
  std::set<Candidate> steps;
  for (const std::string& key : keys) {
    if (!key.starts_with(typed)) continue;
    const std::size_t slash = key.find('/', typed.size());
    steps.insert({slash == std::string::npos ? key : key.substr(0, slash + 1), ""});
  }
  return {steps.begin(), steps.end()};
}

std::string_view bash_completion() {
  return R"script(# bash completion for config-center; load it with:  source <(config-center completion bash)
# What could come next is asked of the program itself, as in: config-center __complete publish dev/
_config_center() {
  # Split as typed: the shell's own words are cut at ':' and '=', which addresses and names hold.
  local line=${COMP_LINE:0:COMP_POINT} words=() word= begun= quote= i c
  for ((i = 0; i < ${#line}; i++)); do
    c=${line:i:1}
    if [[ $quote ]]; then
      if [[ $c == "$quote" ]]; then quote=; else word+=$c; fi
    elif [[ $c == [\"\'] ]]; then
      quote=$c begun=1
    elif [[ $c == \\ ]]; then
      ((i++)); word+=${line:i:1} begun=1
    elif [[ $c == [[:space:]] ]]; then
      [[ $begun ]] && words+=("$word")
      word= begun=
    else
      word+=$c begun=1
    fi
  done
  local candidate split=
  [[ $word == *[:=]* && ! $quote ]] && split=${word%"${word##*[:=]}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate=${candidate%%$'\t'*}
    if [[ $candidate == :files ]]; then
      compopt -o filenames 2>/dev/null
      [[ $word == --*=* ]] && word=${word#*=}
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
    fi
    [[ $candidate == */ ]] && compopt -o nospace 2>/dev/null
    candidate=${candidate#"$split"}
    [[ $quote ]] || candidate=${candidate// /\\ }
    COMPREPLY+=("$candidate")
  done < <("${words[0]}" __complete "${words[@]:1}" "$word" 2>/dev/null)
}
complete -F _config_center config-center
)script";
}

std::string_view zsh_completion() {
  return R"script(#compdef config-center
# zsh completion for config-center; load it with:  source <(config-center completion zsh)
# What could come next is asked of the program itself, as in: config-center __complete publish dev/
_config_center() {
  local line text current=$PREFIX
  local -a further last shown_further shown_last
  [[ -z $compstate[quote] ]] && current=${(Q)PREFIX}
  for line in "${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "$current" 2>/dev/null)}"; do
    text=${line%%$'\t'*}
    case $text in
      '') ;;
      :files) [[ $current == --*=* ]] && compset -P '*='; _files; return ;;
      */) further+=("$text"); shown_further+=("$text") ;;
      *) last+=("$text")
         if [[ $line == *$'\t'* ]]; then shown_last+=("$text  -- ${line#*$'\t'}"); else shown_last+=("$text"); fi ;;
    esac
  done
  (( $#further )) && compadd -S '' -d shown_further -a further
  (( $#last )) && compadd -l -d shown_last -a last
}
if [[ $funcstack[1] == _config_center ]]; then _config_center "$@"; else compdef _config_center config-center; fi
)script";
}

}  // namespace cc::cli
