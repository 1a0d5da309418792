#include "mesh/agent/belief/snapshots.hpp"

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
    case errc::older:
      return "an older world";
    case errc::other_node:
      return "a world for another node";
    case errc::cut_off:
      return "a world that cuts this node off";
  }
  return "unknown agent error";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("agent", message);
  return {static_cast<int>(code), category};
}

std::string encode_snapshot(signed_world::SignedWorld const& world) {
  auto const json = signed_world::to_json(world) + "\n";
  return std::string(heading) + enrolment::sha256_hex(json) + "\n" + json;
}

base::Result<signed_world::SignedWorld> decode_snapshot(std::string_view text) {
  auto const end = text.find('\n');
  if (!text.starts_with(heading) || end == std::string_view::npos || text.back() != '\n') {
    return base::fail(errc::damaged, "it does not begin like a snapshot");
  }
  auto const sum = text.substr(heading.size(), end - heading.size());
  auto const json = text.substr(end + 1);
  if (sum != enrolment::sha256_hex(json)) {
    return base::fail(errc::damaged, "its checksum is wrong");
  }
  auto world = signed_world::parse_signed_world(json.substr(0, json.size() - 1));
  if (!world) {
    return base::fail(errc::damaged, world.error().detail);
  }
  return world;
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

base::Result<void> Snapshots::save(signed_world::SignedWorld const& world, std::int64_t revision) {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) {
    return base::Failure{error, "making " + directory_};
  }
  auto const text = encode_snapshot(world);
  auto const path = directory_ + "/" + std::string(file_start) + std::to_string(revision);
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

std::optional<signed_world::SignedWorld> Snapshots::newest(std::vector<std::string>& passed_over,
                                                           Accept const& accept) const {
  for (auto const& file : files()) {
    auto const text = process::read_file(file.path);
    auto world = text ? decode_snapshot(*text) : base::Result<signed_world::SignedWorld>(text.error());
    auto const document = world ? plan::parse_world_document(world->text) : world.error();
    if (!document || document->revision != file.revision) {
      passed_over.push_back("snapshot " + file.path + " is passed over: " +
                            (document ? "its revision is not the one in its name" : document.error().what()));
      continue;
    }
    if (auto const accepted = accept ? accept(*world) : base::Result<void>(); !accepted) {
      passed_over.push_back("snapshot " + file.path + " is not used: " + accepted.error().what());
      continue;
    }
    return *std::move(world);
  }
  return std::nullopt;
}

}  // namespace agent
