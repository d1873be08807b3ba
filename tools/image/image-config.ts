/** The default configuration of containers of the image. `deploy/docker/Dockerfile` has the same. */
export const imageConfig = (build: { readonly commit: string; readonly date: string }) => ({
  User: '65532:65532',
  WorkingDir: '/app',
  Entrypoint: ['/usr/local/bin/mcp-registry'],
  ExposedPorts: { '8080/tcp': {}, '8081/tcp': {} },
  Env: [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'NODE_ENV=production',
    // A loopback address cannot be reached from outside the container.
    'HOST=::',
    'POSTGRES_TEMPLATE=/opt/postgres-template.tar.gz',
    `BUILD_COMMIT=${build.commit}`,
    `BUILD_DATE=${build.date}`,
  ],
});
