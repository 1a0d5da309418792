#include "base/manual/manual.hpp"
#include "base/manual/values.hpp"

#include <CLI/CLI.hpp>

namespace manual {
namespace {

// A line of text cannot begin with a control character, and hyphens of options are no hyphens of prose.
std::string text(std::string const& given) {
  std::string out = given.empty() || (given[0] != '.' && given[0] != '\'') ? "" : "\\&";
  for (char const c : given) {
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

std::string bold(std::string const& given) {
  return "\\fB" + text(given) + "\\fR";
}

// "TEXT", or "svg|dot".
std::string value_of(CLI::Option const& option) {
  std::string const fixed = fixed_values(option, '|');
  return fixed.empty() ? option.get_type_name() : fixed;
}

// What an option is called, and what follows it.
std::string heading(CLI::Option const& option) {
  if (option.get_positional() && option.nonpositional() == false) {
    return "\\fI" + text(option.get_name(true)) + "\\fR";
  }
  std::string out;
  for (auto const& name : option.get_snames()) {
    out += (out.empty() ? "" : ", ") + bold("-" + name);
  }
  for (auto const& name : option.get_lnames()) {
    out += (out.empty() ? "" : ", ") + bold("--" + name);
  }
  bool const takes_value = option.get_items_expected_max() > 0;
  return out + (takes_value ? " \\fI" + text(value_of(option)) + "\\fR" : "");
}

void options_of(CLI::App const& app, std::string& out) {
  for (CLI::Option const* const option : app.get_options()) {
    if (option->get_group().empty() || option == app.get_help_ptr()) {
      continue;  // hidden, or told once for all
    }
    out += ".TP\n" + heading(*option) + "\n";
    std::string more = option->get_description();
    more += option->get_default_str().empty() ? "" : " (usually " + option->get_default_str() + ")";
    more += option->get_required() ? " (required)" : "";
    out += text(more.empty() ? "as its name says" : more) + "\n";
  }
}

std::string synopsis(CLI::App const& app, std::string const& path) {
  std::string out = bold(path);
  for (CLI::Option const* const option : app.get_options()) {
    if (option->get_group().empty() || option == app.get_help_ptr() || option == app.get_version_ptr()) {
      continue;
    }
    std::string const one = heading(*option);
    out += option->get_required() ? " " + one : " [" + one + "]";
  }
  return out;
}

// Each command that does something, with all the words that lead to it.
void commands_of(CLI::App const& app, std::string const& path, std::string& out) {
  for (CLI::App const* const one :
       app.get_subcommands([](CLI::App const* found) { return !found->get_group().empty(); })) {
    std::string const words = path + " " + one->get_name();
    bool const leads_on = !one->get_subcommands([](CLI::App const*) { return true; }).empty();
    if (!leads_on || one->get_require_subcommand_min() == 0) {
      out += ".SS " + text(words.substr(words.find(' ') + 1)) + "\n" + synopsis(*one, words) + "\n.PP\n" +
             text(one->get_description()) + ".\n";
      options_of(*one, out);
    }
    commands_of(*one, words, out);
  }
}

void table(std::string const& title, std::vector<std::pair<std::string, std::string>> const& rows, std::string& out) {
  out += rows.empty() ? "" : ".SH " + title + "\n";
  for (auto const& [left, right] : rows) {
    out += ".TP\n" + bold(left) + "\n" + text(right) + "\n";
  }
}

}  // namespace

std::string page(CLI::App const& app, About const& about, std::string const& version) {
  std::string upper = about.program;
  for (char& c : upper) {
    c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  std::string out =
      ".TH " + upper + " " + std::to_string(about.section) + " \"\" \"Sovereign " + text(version) + "\"\n";
  out += ".SH NAME\n" + text(about.program) + " \\- " + text(app.get_description()) + "\n";
  out += ".SH SYNOPSIS\n" + bold(about.program) + " [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n";
  out += ".SH DESCRIPTION\n";
  for (auto const& paragraph : about.description) {
    out += ".PP\n" + text(paragraph) + "\n";
  }
  out +=
      ".SH OPTIONS\n.TP\n" + bold("-h") + ", " + bold("--help") + "\nWhat can be said here, also after each command\n";
  options_of(app, out);
  out += ".SH COMMANDS\n";
  commands_of(app, about.program, out);
  table("FILES", about.files, out);
  table("EXIT STATUS", about.exit_codes, out);
  out += about.see_also.empty() ? "" : ".SH SEE ALSO\n";
  for (std::size_t i = 0; i < about.see_also.size(); ++i) {
    out += text(about.see_also[i]) + (i + 1 < about.see_also.size() ? ",\n" : "\n");
  }
  return out;
}

}  // namespace manual
