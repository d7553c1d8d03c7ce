# cc_library(<folder> [EXTERNAL <targets>...] [SOURCES_DIR <dir>])
#
# One static library per folder of src/, from every *.cc below it; every *_test.cc
# beside them becomes <folder>_test. It links all folders that cmake/Layers.cmake
# allows it, and no other.
include(${CMAKE_CURRENT_LIST_DIR}/Layers.cmake)
include(GoogleTest)

if(CC_SANITIZE)
  set(CC_SANITIZER_SOURCE ${PROJECT_SOURCE_DIR}/cmake/sanitizer.cc)
endif()

function(cc_check_layer folder)
  if(NOT folder IN_LIST CC_FOLDERS)
    message(FATAL_ERROR "layers: src/${folder} is not in cmake/Layers.cmake; add a line that says what it may use")
  endif()
  list(FIND CC_FOLDERS ${folder} mine)
  foreach(used IN LISTS CC_LAYER_${folder})
    list(FIND CC_FOLDERS ${used} theirs)
    if(theirs EQUAL -1 OR NOT theirs LESS mine)
      message(FATAL_ERROR "layers: ${folder} may not use ${used}: includes go downward only")
    endif()
  endforeach()
endfunction()

function(cc_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXTERNAL")
  cc_check_layer(${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  add_library(cc_${folder} STATIC ${sources})
  target_include_directories(cc_${folder} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  foreach(used IN LISTS CC_LAYER_${folder})
    target_link_libraries(cc_${folder} PUBLIC cc_${used})
  endforeach()
  target_link_libraries(cc_${folder} PRIVATE cc_warnings ${arg_EXTERNAL})
  if(folder STREQUAL "base")
    target_precompile_headers(cc_base PRIVATE <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
      <boost/asio/ip/tcp.hpp> <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp> <boost/json.hpp>
      <fmt/format.h> <chrono> <expected> <functional> <map> <memory> <optional> <span> <string> <string_view>
      <unordered_map> <variant> <vector>)
  else()
    target_precompile_headers(cc_${folder} REUSE_FROM cc_base)
  endif()

  if(BUILD_TESTING AND tests)
    add_executable(${folder}_test ${tests} ${CC_SANITIZER_SOURCE})
    target_link_libraries(${folder}_test PRIVATE cc_${folder} cc_warnings ${arg_EXTERNAL} GTest::gmock GTest::gtest_main)
    target_precompile_headers(${folder}_test REUSE_FROM cc_base)
    gtest_discover_tests(${folder}_test TEST_PREFIX "${folder}/" DISCOVERY_TIMEOUT 120 PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()
