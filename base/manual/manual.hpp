// A program's manual page and its completion for shells, made of the same description of its arguments that parses
// them: what is described can be typed, and what can be typed is described.
//
// Threads: pure functions of the description, which must not change meanwhile.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace manual {

// What a page says that no argument tells.
struct About {
  std::string program;  // as it is typed
  unsigned section = 8;
  std::vector<std::string> description;                         // paragraphs
  std::vector<std::pair<std::string, std::string>> files;       // path and what it is
  std::vector<std::pair<std::string, std::string>> exit_codes;  // number and meaning
  std::vector<std::string> see_also;                            // "birdc(8)"
};

// man(7), so that every man shows it. `version` goes into its foot.
std::string page(CLI::App const& app, About const& about, std::string const& version);

// What bash reads; zsh too, by its bashcompinit. Words of subcommands, options and their fixed values; elsewhere files.
std::string bash_completion(CLI::App const& app, std::string const& program);
std::string zsh_completion(CLI::App const& app, std::string const& program);

// "manual" and "completion bash|zsh": each prints to stdout and ends the parsing with CLI::Success.
void add_commands(CLI::App& app, About const& about, std::string const& version);

}  // namespace manual
