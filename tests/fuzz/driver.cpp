// Runs a fuzz target without libFuzzer: every file of the corpus folder, then a bounded number of seeded mutations of
// them, so that each parser meets damaged input in every test run, under the sanitizers. The same target links with
// clang's -fsanitize=fuzzer instead of this file for long campaigns.
//
//   fuzz.NAME CORPUS [ROUNDS [SEED]]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t size_max = 1U << 16U;

void run(Bytes const& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

std::vector<Bytes> read_corpus(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (auto const& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return corpus;
}

// One random edit: flip, insert, delete, repeat a stretch, splice in a stretch of another input, or cut off.
void mutate(Bytes& input, std::vector<Bytes> const& corpus, std::mt19937_64& random) {
  auto const below = [&random](std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(random() % bound); };
  auto const at = [&](std::size_t offset) { return input.begin() + static_cast<std::ptrdiff_t>(offset); };
  switch (below(6)) {
    case 0:
      if (!input.empty()) {
        input[below(input.size())] ^= static_cast<std::uint8_t>(1U << below(8));
      }
      break;
    case 1:
      input.insert(at(below(input.size() + 1)), static_cast<std::uint8_t>(below(256)));
      break;
    case 2:
      if (!input.empty()) {
        std::size_t const first = below(input.size());
        input.erase(at(first), at(first + 1 + below(input.size() - first)));
      }
      break;
    case 3:
      if (!input.empty() && input.size() < size_max / 2) {
        std::size_t const first = below(input.size());
        Bytes const stretch(at(first), at(first + 1 + below(input.size() - first)));
        input.insert(at(below(input.size() + 1)), stretch.begin(), stretch.end());
      }
      break;
    case 4: {
      Bytes const& other = corpus[below(corpus.size())];
      if (!other.empty() && input.size() < size_max / 2) {
        std::size_t const first = below(other.size());
        auto const from = other.begin() + static_cast<std::ptrdiff_t>(first);
        auto const length = static_cast<std::ptrdiff_t>(1 + below(other.size() - first));
        input.insert(at(below(input.size() + 1)), from, from + length);
      }
      break;
    }
    default:
      input.resize(below(input.size() + 1));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [ROUNDS [SEED]]\n", argv[0]);
    return 2;
  }
  std::vector<Bytes> const corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus in %s\n", argv[1]);
    return 1;
  }
  // tests/run --long sets SOVEREIGN_LONG.
  unsigned long const usual = std::getenv("SOVEREIGN_LONG") != nullptr ? 100000 : 5000;
  unsigned long const rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : usual;
  unsigned long const seed = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1;
  std::printf("%zu corpus files, %lu rounds, seed %lu\n", corpus.size(), rounds, seed);
  std::fflush(stdout);  // a crash must not hide the seed
  run({});
  for (auto const& input : corpus) {
    run(input);
  }
  std::mt19937_64 random(seed);
  for (unsigned long round = 0; round < rounds; ++round) {
    Bytes input = corpus[random() % corpus.size()];
    for (std::uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
      mutate(input, corpus, random);
    }
    run(input);
  }
  return 0;
}
