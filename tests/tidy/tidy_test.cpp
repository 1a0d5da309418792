// The house rules as tests: arrows, sizes, banned words, headers that compile alone. A violation is reported as
// file:line and what to do instead.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_lines_max = 600;
constexpr std::size_t function_lines_max = 70;
constexpr std::size_t module_lines_max = 1500;
constexpr std::size_t readme_lines_max = 60;
constexpr std::size_t columns_max = 120;

struct File {
  std::string path;  // from the root of the repository
  std::vector<std::string> lines;
};

fs::path root() {
  return SOURCE_DIR;
}

std::vector<std::string> read_lines(fs::path const& path) {
  std::ifstream stream(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// Every source file of the project, sorted; build folders and what git does not hold are left out by name.
std::vector<File> const& sources() {
  static std::vector<File> const all = [] {
    std::vector<File> files;
    for (char const* folder :
         {"base", "topology", "dns-backend", "acme", "routing", "mesh", "lab", "tests", "packaging"}) {
      for (auto const& entry : fs::recursive_directory_iterator(root() / folder)) {
        std::string const extension = entry.path().extension();
        if (entry.is_regular_file() && (extension == ".cpp" || extension == ".hpp" || extension == ".py")) {
          files.push_back({fs::relative(entry.path(), root()).string(), read_lines(entry.path())});
        }
      }
    }
    std::sort(files.begin(), files.end(), [](File const& a, File const& b) { return a.path < b.path; });
    return files;
  }();
  return all;
}

bool is_cpp(File const& file) {
  return file.path.ends_with(".cpp") || file.path.ends_with(".hpp");
}

// module -> modules it may include, from what CMake wrote.
std::map<std::string, std::set<std::string>> const& edges() {
  static std::map<std::string, std::set<std::string>> const all = [] {
    std::map<std::string, std::set<std::string>> result;
    for (auto const& line : read_lines(MODULE_EDGES)) {
      std::istringstream words(line);
      std::string name;
      words >> name;
      name.pop_back();  // the colon
      auto& targets = result[name];
      for (std::string target; words >> target;) {
        targets.insert(target);
      }
    }
    return result;
  }();
  return all;
}

// The longest declared module that is a folder of `path`; empty when there is none.
std::string module_of(std::string const& path) {
  std::string best;
  for (auto const& [name, targets] : edges()) {
    if (path.starts_with(name + "/") && name.size() > best.size()) {
      best = name;
    }
  }
  return best;
}

// "a/b.hpp" of `#include "a/b.hpp"`; empty for other lines.
std::string included(std::string const& line) {
  std::string_view constexpr start = "#include \"";
  if (!line.starts_with(start)) {
    return {};
  }
  return line.substr(start.size(), line.find('"', start.size()) - start.size());
}

TEST(Tidy, EveryIncludeFollowsADeclaredArrow) {
  ASSERT_GT(edges().size(), 15U) << "no arrows were read from " << MODULE_EDGES;
  std::size_t checked = 0;
  for (auto const& file : sources()) {
    std::string const owner = module_of(file.path);
    if (owner.empty() || !is_cpp(file)) {
      continue;
    }
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::string const header = included(file.lines[i]);
      if (header.empty()) {
        continue;
      }
      ++checked;
      std::string const target = module_of(header);
      EXPECT_TRUE(target == owner || edges().at(owner).contains(target))
          << file.path << ":" << i + 1 << ": " << owner << " must not include " << header
          << " (arrows are declared in the modules.cmake of each top folder)";
    }
  }
  EXPECT_GT(checked, 100U);
}

TEST(Tidy, ArrowsHaveNoCycle) {
  std::map<std::string, int> state;  // 1: being visited, 2: done
  auto const visit = [&state](auto const& self, std::string const& name) -> void {
    int& mine = state[name];
    if (mine == 2) {
      return;
    }
    ASSERT_NE(mine, 1) << "the arrows run in a circle through " << name;
    mine = 1;
    ASSERT_TRUE(edges().contains(name)) << name << " is depended upon but not declared";
    for (auto const& target : edges().at(name)) {
      self(self, target);
    }
    state[name] = 2;
  };
  for (auto const& [name, targets] : edges()) {
    visit(visit, name);
  }
}

// Modules that outgrew the limit before it was enforced. The numbers may only fall; a module that falls below the limit
// leaves the list.
std::map<std::string, std::size_t> const& grown_modules() {
  static std::map<std::string, std::size_t> const all = {{"topology", 2410}};
  return all;
}

TEST(Tidy, FilesAndModulesFitOneSitting) {
  std::map<std::string, std::size_t> modules;
  for (auto const& file : sources()) {
    EXPECT_LE(file.lines.size(), file_lines_max) << file.path << " is too long: split it by subject";
    if (std::string const owner = module_of(file.path); !owner.empty()) {
      modules[owner] += file.lines.size();
    }
  }
  for (auto const& [name, lines] : modules) {
    auto const grown = grown_modules().find(name);
    std::size_t const limit = grown == grown_modules().end() ? module_lines_max : grown->second;
    EXPECT_LE(lines, limit) << name << " cannot be read in one sitting: make two modules of it";
    EXPECT_TRUE(grown == grown_modules().end() || lines > module_lines_max)
        << name << " fits again: take it off the list of grown modules";
  }
}

// systemd gives up after five starts in ten seconds unless it is told otherwise.
TEST(Tidy, EveryServiceIsStartedAgainForEver) {
  std::size_t services = 0;
  for (auto const& entry : std::filesystem::directory_iterator(std::string(SOURCE_DIR) + "/packaging/systemd")) {
    if (entry.path().extension() != ".service") {
      continue;
    }
    ++services;
    std::ifstream file(entry.path());
    std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    // An instance for each device, whose process ends in order when the agent takes the device away.
    bool const is_template = entry.path().stem().string().ends_with('@');
    char const* const wanted = is_template ? "\nRestart=on-failure\n" : "\nRestart=always\n";
    EXPECT_NE(text.find(wanted), std::string::npos) << entry.path();
    auto const unlimited = text.find("\nStartLimitIntervalSec=0\n");
    EXPECT_LT(unlimited, text.find("\n[Service]\n")) << entry.path() << ": belongs to [Unit]";
  }
  EXPECT_GE(services, 4U);
}

// Namespaces are not indented, so a free or member function definition begins in column 0 and ends with "}" there.
TEST(Tidy, FunctionsAreShort) {
  for (auto const& file : sources()) {
    if (!is_cpp(file)) {
      continue;
    }
    std::size_t start = 0;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::string const& line = file.lines[i];
      bool const opens = !line.empty() && line[0] != ' ' && line[0] != '}' && line[0] != '/' && line.ends_with("{");
      bool const type_or_namespace = line.starts_with("namespace") || line.starts_with("class") ||
                                     line.starts_with("struct") || line.starts_with("enum") ||
                                     line.starts_with("extern") || line.starts_with("template") ||
                                     line.find(" = {") != std::string::npos;
      if (opens) {
        start = type_or_namespace ? 0 : i + 1;
      } else if (line == "}" && start != 0) {
        EXPECT_LE(i + 1 - start, function_lines_max)
            << file.path << ":" << start << ": this function is too long: name its parts";
        start = 0;
      }
    }
  }
}

// Lines that were too long before the rule was enforced: the number may only fall.
constexpr std::size_t long_lines_left = 79;

TEST(Tidy, NoMoreLinesAreTooLong) {
  std::size_t count = 0;
  std::string places;
  for (auto const& file : sources()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      auto const& line = file.lines[i];
      auto const starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
      auto const columns = static_cast<std::size_t>(std::count_if(line.begin(), line.end(), starts_character));
      bool const unbreakable = line.find("http://") != std::string::npos ||
                               line.find("https://") != std::string::npos || line.find("R\"") != std::string::npos;
      if (columns > columns_max && !unbreakable) {
        ++count;
        places += file.path + ":" + std::to_string(i + 1) + ": " + std::to_string(columns) + " columns\n";
      }
    }
  }
  EXPECT_LE(count, long_lines_left) << places << columns_max << " columns fit";
}

struct Banned {
  std::string word;
  std::string instead;
};

// Written in halves so that this file does not trip over itself.
std::vector<Banned> const& banned() {
  static std::vector<Banned> const all = {
      {std::string("asio::") + "detached", "net::spawn, which logs what escapes"},
      {std::string("std::") + "regex", "a parser that is bounded"},
      {std::string("sleep") + "_for", "wait for what you could observe (net::Signal, net::wait_for in a loop)"},
      {std::string("using namespace ") + "std;", "the qualified name"},
      {std::string("TO") + "DO", "do it, or say it in the notes"},
      {std::string("FIX") + "ME", "mend it"},
      {std::string("= ") + "new ", "std::make_unique"},
      {std::string("/wo") + "rk/", "a path of this repository"},
  };
  return all;
}

TEST(Tidy, NoBannedWords) {
  for (auto const& file : sources()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      for (auto const& rule : banned()) {
        EXPECT_EQ(file.lines[i].find(rule.word), std::string::npos)
            << file.path << ":" << i + 1 << ": '" << rule.word << "': use " << rule.instead;
      }
    }
  }
}

TEST(Tidy, FoldersAreNamedByWhatTheyHold) {
  for (auto const& file : sources()) {
    for (auto const& part : fs::path(file.path)) {
      for (char const* name : {"utils", "util", "common", "helpers", "misc"}) {
        EXPECT_NE(part.string(), name) << file.path << ": name the folder by its subject";
      }
    }
  }
}

TEST(Tidy, PublicHeadersOpenWithTheirContract) {
  for (auto const& file : sources()) {
    if (!file.path.ends_with(".hpp") || module_of(file.path).empty()) {
      continue;
    }
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_TRUE(file.lines[0].starts_with("// ")) << file.path << ": open with what it is";
    std::size_t const pragma =
        static_cast<std::size_t>(std::find(file.lines.begin(), file.lines.end(), "#pragma once") - file.lines.begin());
    ASSERT_LT(pragma, file.lines.size()) << file.path << ": #pragma once is missing";
    bool const threads =
        std::any_of(file.lines.begin(), file.lines.begin() + static_cast<std::ptrdiff_t>(pragma),
                    [](std::string const& line) { return line.find("Threads:") != std::string::npos; });
    EXPECT_TRUE(threads) << file.path << ": say from which thread it may be called (a line 'Threads: ...')";
  }
}

// A header that is the first include of some .cpp compiles alone, because that .cpp compiles.
TEST(Tidy, EveryPublicHeaderIsTheFirstIncludeOfASource) {
  std::set<std::string> first;
  for (auto const& file : sources()) {
    if (!file.path.ends_with(".cpp")) {
      continue;
    }
    auto const line = std::find_if(file.lines.begin(), file.lines.end(),
                                   [](std::string const& text) { return text.starts_with("#include"); });
    if (line != file.lines.end()) {
      first.insert(included(*line));
    }
  }
  for (auto const& file : sources()) {
    // A header of template definitions is included by the header it belongs to.
    if (file.path.ends_with(".hpp") && !file.path.ends_with("_impl.hpp") && !module_of(file.path).empty()) {
      EXPECT_TRUE(first.contains(file.path)) << file.path << ": include it first in its .cpp or in its test";
    }
  }
}

TEST(Tidy, EveryModuleHasAReadmeOfOneScreen) {
  for (auto const& [name, targets] : edges()) {
    fs::path const readme = root() / name / "README.md";
    ASSERT_TRUE(fs::exists(readme)) << name << " has no README.md";
    EXPECT_LE(read_lines(readme).size(), readme_lines_max) << readme << " is more than one screen";
  }
}

TEST(Tidy, EveryParserOfOutsideInputHasACorpus) {
  std::size_t targets = 0;
  for (auto const& file : sources()) {
    if (file.path.starts_with("tests/fuzz/") && file.path.ends_with("_fuzz.cpp")) {
      ++targets;
      std::string const stem = fs::path(file.path).filename().string();
      fs::path const corpus =
          root() / "tests/fuzz/corpus" / stem.substr(0, stem.size() - std::string("_fuzz.cpp").size());
      EXPECT_TRUE(fs::exists(corpus) && !fs::is_empty(corpus)) << file.path << ": " << corpus << " holds no seed";
    }
  }
  EXPECT_GT(targets, 5U);
}

}  // namespace
