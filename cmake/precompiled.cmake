# The headers that most sources read, compiled once: Asio's coroutines, JSON values and the containers. A cold build of
# 400 sources takes about a third less time. Without it (SOVEREIGN_PRECOMPILE=OFF, as the preset dev has it) every source
# must name what it uses, and ccache keeps its hits between checkouts.
option(SOVEREIGN_PRECOMPILE "Compile the most used headers once" ON)

# precompiled(TARGET): the target reads them; the first one compiles them for all.
function(precompiled target)
  if(NOT SOVEREIGN_PRECOMPILE)
    return()
  endif()
  if(NOT "${target}" STREQUAL "base.asio")
    target_precompile_headers(${target} REUSE_FROM base.asio)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set> <string> <string_view> <variant> <vector>
    <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/buffer.hpp> <boost/asio/co_spawn.hpp>
    <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp> <boost/asio/redirect_error.hpp>
    <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp> <boost/asio/write.hpp>
    <boost/json.hpp> <boost/system/result.hpp>)
endfunction()
