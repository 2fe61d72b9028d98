'use strict';

// The representation that is listed first is the one that is asked for.
const jsonFirst = (content) => ({'application/json': content['application/json'], ...content});

const prepare = (spec) => {
  for (const path of Object.values(spec.paths ?? {})) {
    for (const operation of Object.values(path)) {
      const answer = operation.responses?.['200'];
      if (answer?.content?.['application/json']) answer.content = jsonFirst(answer.content);
    }
  }
  return spec;
};

const Prepared = () => ({
  statePlugins: {spec: {wrapActions: {updateJsonSpec: (update) => (spec) => update(prepare(spec))}}},
});

// Schemas of rows have hundreds of columns: they open when asked for.
window.ui = window.SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  defaultModelExpandDepth: 1,
  docExpansion: 'list',
  filter: true,
  plugins: [Prepared],
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
});
