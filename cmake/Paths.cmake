# A release holds no path of the folder that it was built in, so that the same commit gives the same bytes everywhere:
# files are named as seen from the build folder. ccache names them so by itself; given these paths as well it would find
# nothing of another folder's again.
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-ffile-compilation-dir=.)
  if(NOT CC_CCACHE)
    file(RELATIVE_PATH up ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/)
    add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=${up} -ffile-prefix-map=${PROJECT_BINARY_DIR}/=)
  endif()
endif()
