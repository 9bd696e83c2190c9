/** Why a step could not be carried out: its formula's later steps are then left out, too. */
export class StepFailure extends Error {}
