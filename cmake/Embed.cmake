# cc_embed(<target> <namespace::name> <file>...): the bytes of text files as constants in the
# program. Generates <build>/embedded/<name>.h with `inline constexpr std::string_view`s in an
# array of {file name, content}, sorted by file name.
function(cc_embed target name)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.h)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${name} "-DFILES=${ARGN}" -P ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake
    DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake VERBATIM)
  add_custom_target(${target}_${name}_embedded DEPENDS ${out})
  add_dependencies(${target} ${target}_${name}_embedded)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
