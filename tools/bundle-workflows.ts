import { writeWorkflowBundle } from '#temporal/workflow-bundle.js';

await writeWorkflowBundle();
