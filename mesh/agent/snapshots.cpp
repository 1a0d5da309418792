#include "mesh/agent/snapshots.hpp"

#include "base/process/service.hpp"
#include "base/result/category.hpp"
#include "mesh/enrolment/token.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace agent {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view heading = "sovereign-world 1 ";
constexpr std::string_view file_start = "world-";

char const* message(int code) {
  switch (static_cast<errc>(code)) {
    case errc::not_joined:
      return "this node has not joined";
    case errc::damaged:
      return "damaged snapshot";
    case errc::no_world:
      return "no world to plan from";
  }
  return "unknown agent error";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("agent", message);
  return {static_cast<int>(code), category};
}

std::string encode_snapshot(plan::WorldDocument const& document) {
  auto const json = plan::to_json(document) + "\n";
  return std::string(heading) + enrolment::sha256_hex(json) + "\n" + json;
}

base::Result<plan::WorldDocument> decode_snapshot(std::string_view text) {
  auto const end = text.find('\n');
  if (!text.starts_with(heading) || end == std::string_view::npos) {
    return base::fail(errc::damaged, "it does not begin like a snapshot");
  }
  auto const sum = text.substr(heading.size(), end - heading.size());
  auto const json = text.substr(end + 1);
  if (sum != enrolment::sha256_hex(json)) {
    return base::fail(errc::damaged, "its checksum is wrong");
  }
  auto document = plan::parse_world_document(json);
  if (!document) {
    return base::fail(errc::damaged, document.error().detail);
  }
  return document;
}

std::vector<Snapshots::File> Snapshots::files() const {
  std::vector<File> out;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(directory_, error)) {
    auto const name = entry.path().filename().string();
    if (!name.starts_with(file_start)) {
      continue;
    }
    File file{0, entry.path().string()};
    auto const* first = name.data() + file_start.size();
    auto const* last = name.data() + name.size();
    auto const [stop, bad] = std::from_chars(first, last, file.revision);
    if (bad == std::errc() && stop == last) {  // anything else is a temp file that a crash left
      out.push_back(std::move(file));
    }
  }
  std::sort(out.begin(), out.end(), [](File const& a, File const& b) { return a.revision > b.revision; });
  return out;
}

base::Result<void> Snapshots::save(plan::WorldDocument const& document) {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) {
    return base::Failure{error, "making " + directory_};
  }
  auto const text = encode_snapshot(document);
  auto const path = directory_ + "/" + std::string(file_start) + std::to_string(document.revision);
  if (auto const present = process::read_file(path); present && *present == text) {
    return {};
  }
  if (auto written = process::write_file_atomically(path, text, 0640); !written) {
    return written;
  }
  auto const all = files();
  for (std::size_t i = generations; i < all.size(); ++i) {
    fs::remove(all[i].path, error);  // one generation too many does no harm
  }
  return {};
}

std::optional<plan::WorldDocument> Snapshots::newest(std::vector<std::string>& damaged) const {
  for (auto const& file : files()) {
    auto const text = process::read_file(file.path);
    auto document = text ? decode_snapshot(*text) : base::Result<plan::WorldDocument>(text.error());
    if (document && document->revision == file.revision) {
      return *std::move(document);
    }
    damaged.push_back("snapshot " + file.path + " is passed over: " +
                      (document ? "its revision is not the one in its name" : document.error().what()));
  }
  return std::nullopt;
}

}  // namespace agent
