#include "base/manual/manual.hpp"
#include "base/manual/values.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace manual {
namespace {

struct Level {
  std::string path;   // " zone import"; empty: the program itself
  std::string words;  // what may follow
};

struct Choice {
  std::string words;   // " graph --format": the path and the option
  std::string values;  // "svg dot json"
};

void walk(CLI::App const& app, std::string const& path, std::vector<Level>& levels, std::vector<Choice>& choices) {
  Level level{path, ""};
  auto const add = [&level](std::string const& word) { level.words += (level.words.empty() ? "" : " ") + word; };
  for (CLI::App const* const one :
       app.get_subcommands([](CLI::App const* found) { return !found->get_group().empty(); })) {
    add(one->get_name());
  }
  for (CLI::Option const* const option : app.get_options()) {
    if (option->get_group().empty()) {
      continue;
    }
    std::string const values = fixed_values(*option, ' ');
    for (auto const& name : option->get_lnames()) {
      add("--" + name);
      if (!values.empty()) {
        choices.push_back({path + " --" + name, values});
      }
    }
    if (option->get_lnames().empty() && !values.empty()) {
      add(values);  // an argument without a name, of a fixed set
    }
  }
  levels.push_back(level);
  for (CLI::App const* const one :
       app.get_subcommands([](CLI::App const* found) { return !found->get_group().empty(); })) {
    walk(*one, path + " " + one->get_name(), levels, choices);
  }
}

std::string script(CLI::App const& app, std::string const& program) {
  std::vector<Level> levels;
  std::vector<Choice> choices;
  walk(app, "", levels, choices);
  std::string paths;
  std::string words;
  for (auto const& one : levels) {
    paths += one.path.empty() ? "" : (paths.empty() ? "" : "|") + ("\"" + one.path + "\"");
    words += "    \"" + one.path + "\") words=\"" + one.words + "\" ;;\n";
  }
  std::string values;
  for (auto const& one : choices) {
    values += "    \"" + one.words + "\") words=\"" + one.values + "\" ;;\n";
  }
  return "_" + program +
         "() {\n"
         "  local path= words= i\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$path ${COMP_WORDS[i]}\" in\n"
         "    " +
         paths +
         ") path=\"$path ${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         words +
         "  esac\n"
         "  case \"$path $previous\" in\n" +
         (values.empty() ? "    \"\") ;;\n" : values) +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _" +
         program + " " + program + "\n";
}

[[noreturn]] void print(std::string const& made) {
  std::fputs(made.c_str(), stdout);
  throw CLI::Success();
}

}  // namespace

std::string bash_completion(CLI::App const& app, std::string const& program) {
  return "# Completion of " + program + " for bash, made by: " + program + " completion bash\n" + script(app, program);
}

std::string zsh_completion(CLI::App const& app, std::string const& program) {
  return "#compdef " + program + "\n# Completion of " + program + " for zsh, made by: " + program +
         " completion zsh\nautoload -U +X bashcompinit && bashcompinit\n" + script(app, program);
}

void add_commands(CLI::App& app, About const& about, std::string const& version) {
  auto* const manual =
      app.add_subcommand("manual", "The manual page, as man reads it: " + about.program + " manual | man -l -");
  manual->callback([&app, about, version] { print(page(app, about, version)); });
  auto* const completion = app.add_subcommand("completion", "What a shell needs to complete this command line");
  completion->require_subcommand(1);
  auto* const bash = completion->add_subcommand("bash", "For bash: source <(" + about.program + " completion bash)");
  bash->callback([&app, about] { print(bash_completion(app, about.program)); });
  auto* const zsh =
      completion->add_subcommand("zsh", "For zsh: a file _" + about.program + " in a folder of its fpath");
  zsh->callback([&app, about] { print(zsh_completion(app, about.program)); });
}

}  // namespace manual
