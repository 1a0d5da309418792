#include "base/gzip/gzip.hpp"

#include "base/result/category.hpp"

#include <zlib.h>

#include <algorithm>

namespace gzip {
namespace {

// 3: a world document becomes about as small as with the default of 6, in half of the time.
constexpr int level = 3;
constexpr int window_of_gzip = 15 + 16;  // deflateInit2: 16 says gzip instead of zlib's own head
constexpr std::size_t step = 64U << 10U;

char const* message(int code) {
  return static_cast<errc>(code) == errc::too_large ? "what is compressed is too large"
                                                    : "what is compressed is damaged";
}

// zlib's interface is older than const, and does not write there.
Bytef* octets_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("gzip", message);
  return {static_cast<int>(code), category};
}

std::string compress(std::string_view text) {
  z_stream stream{};
  ASSERT(deflateInit2(&stream, level, Z_DEFLATED, window_of_gzip, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = octets_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = octets_of(out);
  stream.avail_out = static_cast<uInt>(out.size());
  ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  out.shrink_to_fit();
  deflateEnd(&stream);
  return out;
}

base::Result<std::string> decompress(std::string_view octets, std::size_t limit) {
  z_stream stream{};
  ASSERT(inflateInit2(&stream, window_of_gzip) == Z_OK);
  stream.next_in = octets_of(octets);
  stream.avail_in = static_cast<uInt>(octets.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= limit) {
    std::size_t const have = out.size();
    out.resize(have + std::max(step, have));
    stream.next_out = octets_of(out) + have;
    stream.avail_out = static_cast<uInt>(out.size() - have);
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  bool const whole = state == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > limit) {
    return base::fail(errc::too_large, "more than " + std::to_string(limit) + " octets");
  }
  if (!whole) {
    return base::fail(errc::damaged, "it is no gzip, or not all of one");
  }
  return out;
}

}  // namespace gzip
